/** Injection token of the `Secrets`; provided by the database module, which knows where generated ones are kept. */
export const SECRETS = Symbol('SECRETS');

export interface Secrets {
  /** At least 32 bytes. Signs access tokens; every other key is derived from it. */
  readonly jwtSecret: string;
}
