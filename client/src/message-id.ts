/** A random id for a message of this client; works without a secure context too, where `crypto.randomUUID` is missing. */
export function newMessageId(): string {
  const source = (
    globalThis as {
      crypto?: { randomUUID?: () => string; getRandomValues?: (bytes: Uint8Array) => Uint8Array };
    }
  ).crypto;
  if (source?.randomUUID !== undefined) return source.randomUUID();
  const bytes = new Uint8Array(16);
  if (source?.getRandomValues !== undefined) source.getRandomValues(bytes);
  else bytes.forEach((_, index) => (bytes[index] = Math.floor(Math.random() * 256)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
