/** The name of a topic, which knows what its payloads look like: `'message.sent' as OutboxTopic<MessageFact>`. */
export type OutboxTopic<P extends object> = string & { readonly payload?: P };

/** A fact of any topic, for those who append several kinds in one statement. */
export interface OutboxFact {
  topic: string;
  payload: object;
}

/** A fact as its consumer gets it. */
export interface OutboxRow<P extends object = object> {
  id: number;
  payload: P;
  createdAt: Date;
}

/** A handler throws it when these rows have to wait for a lock: they are put off for a moment, the others are handled without them. */
export class RowsHeld extends Error {
  readonly ids: ReadonlySet<number>;

  constructor(rows: readonly OutboxRow[], cause: unknown) {
    super('Rows wait for a lock', { cause });
    this.ids = new Set(rows.map(({ id }) => id));
  }
}
