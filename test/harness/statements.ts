import pg from 'pg';

export interface SentStatement {
  text: string;
  values: unknown[];
  /** Of a prepared one. */
  name?: string;
}

/** Every statement the driver sends. To be made before the server under test connects. */
export class SentStatements {
  private readonly sent: SentStatement[] = [];
  private readonly spy: jest.SpyInstance;

  constructor() {
    const { sent } = this;
    const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
    this.spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...args: unknown[]
    ) {
      const [statement, values] = args as [string | (Partial<SentStatement> & { text: string }), unknown];
      sent.push(
        typeof statement === 'string'
          ? { text: statement, values: Array.isArray(values) ? values : [] }
          : { ...statement, values: statement.values ?? [] },
      );
      return original.apply(this, args);
    });
  }

  /** Those whose text matches, of what is sent until `work` has ended: other parts of the server send theirs meanwhile. */
  async during(work: () => Promise<unknown>, matching: RegExp): Promise<SentStatement[]> {
    const before = this.sent.length;
    await work();
    return this.sent.slice(before).filter(({ text }) => matching.test(text));
  }

  end(): void {
    this.spy.mockRestore();
  }
}
