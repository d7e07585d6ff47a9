/** What was sent before the answers to all of it had come. */
export interface RoundTrip {
  /** Names of prepared statements and texts of others, in the order they are executed in. */
  statements: string[];
  /** Those among them that Postgres had to parse first, by name. */
  parsed: string[];
}

const START = /^(START TRANSACTION|BEGIN)/;
const END = /^(COMMIT|ROLLBACK)$/;
const HEADER_BYTES = 5;
const STARTUP_HEADER_BYTES = 4;

/** Cuts a stream of protocol messages; `first` is where the letters begin: a client's first message has none. */
class Messages {
  private rest = Buffer.alloc(0);

  constructor(private startup: boolean) {}

  *in(chunk: Buffer): Generator<{ type: string; body: Buffer }> {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const header = this.startup ? STARTUP_HEADER_BYTES : HEADER_BYTES;
      if (this.rest.length < header) return;
      const length = this.rest.readInt32BE(header - STARTUP_HEADER_BYTES) + header - STARTUP_HEADER_BYTES;
      if (this.rest.length < length) return;
      const type = this.startup ? '' : String.fromCharCode(this.rest[0] ?? 0);
      yield { type, body: this.rest.subarray(header, length) };
      this.startup = false;
      this.rest = this.rest.subarray(length);
    }
  }
}

/** One connection to Postgres as its two ends see it: the round trips, and which of them make a transaction. */
export class ProtocolTap {
  readonly roundTrips: RoundTrip[] = [];
  private readonly client = new Messages(true);
  private readonly server = new Messages(false);
  private readonly texts = new Map<string, string>();
  private unanswered = 0;

  fromClient(chunk: Buffer): void {
    for (const { type, body } of this.client.in(chunk)) {
      if (type === 'P') this.parse(body);
      if (type === 'B') this.here().statements.push(this.bound(body));
      if (type === 'Q') this.here().statements.push(text(body));
      if (type === 'S' || type === 'Q') this.unanswered++;
    }
  }

  fromServer(chunk: Buffer): void {
    // What follows the startup is answered by a first ReadyForQuery that nobody asked for.
    for (const { type } of this.server.in(chunk)) if (type === 'Z' && this.unanswered > 0) this.unanswered--;
  }

  /** By transaction, those that are open or were lost included. */
  get transactions(): RoundTrip[][] {
    const all: RoundTrip[][] = [];
    let open = false;
    for (const trip of this.roundTrips) {
      if (!open && !trip.statements.some((statement) => START.test(statement))) continue;
      if (open) all.at(-1)?.push(trip);
      else all.push([trip]);
      open = !trip.statements.some((statement) => END.test(statement));
    }
    return all;
  }

  private here(): RoundTrip {
    if (this.unanswered === 0 && (this.roundTrips.at(-1)?.statements.length ?? 1) > 0)
      this.roundTrips.push({ statements: [], parsed: [] });
    return this.roundTrips.at(-1) as RoundTrip;
  }

  private parse(body: Buffer): void {
    const name = text(body);
    const trip = this.here();
    if (name === '') this.texts.set('', text(body.subarray(1)));
    else trip.parsed.push(name);
  }

  /** The name of the portal comes first. */
  private bound(body: Buffer): string {
    const name = text(body.subarray(body.indexOf(0) + 1));
    return name === '' ? (this.texts.get('') ?? '') : name;
  }
}

const text = (bytes: Buffer): string => bytes.toString('utf8', 0, bytes.indexOf(0));
