/** How keys of secrets end, in any spelling: `refreshToken`, `password_hash`, `API-KEY`. */
const SECRET =
  /(password|passphrase|token|secret|hash|apikey|privatekey|credentials?|cookie|authorization)s?$/;

/** An entry can never be taken back, so a secret must not get into one: throws, wherever in `value` its key stands. */
export function assertNoSecrets(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (SECRET.test(key.replace(/[^a-z]/gi, '').toLowerCase()))
      throw new Error(`The audit log takes no secrets, and a key ends like one: ${key}`);
    assertNoSecrets(inner);
  }
}
