/** Gives the access token: asks the application once at a time, and keeps the answer until it expires or is refused. */
export class TokenSource {
  private token?: string;
  private expiresAt = Number.POSITIVE_INFINITY;
  private skew = 0;
  private asking?: Promise<string>;

  constructor(private readonly getToken: () => string | Promise<string>) {}

  /** The token at hand, else a new one. */
  current(): Promise<string> {
    if (this.token !== undefined && Date.now() < this.expiresAt - 1000) return Promise.resolve(this.token);
    return this.fresh();
  }

  /** A new one from the application. */
  fresh(): Promise<string> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** Forgets the token: the next `current` asks for a new one. */
  forget(): void {
    this.token = undefined;
  }

  get isKept(): boolean {
    return this.token !== undefined;
  }

  /** Expiry by the server's clock, which may differ from ours. */
  expires(expiresAt: string, serverTime?: string): void {
    if (serverTime !== undefined) this.skew = Date.now() - Date.parse(serverTime);
    this.expiresAt = Date.parse(expiresAt) + this.skew;
  }

  private async ask(): Promise<string> {
    this.expiresAt = Number.POSITIVE_INFINITY;
    this.token = undefined;
    this.token = await this.getToken();
    return this.token;
  }
}
