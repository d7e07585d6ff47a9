/** Rows of a topic were committed: their consumer on this node need not wait for its next look. */
export class OutboxAppended {
  constructor(readonly topic: string) {}
}
