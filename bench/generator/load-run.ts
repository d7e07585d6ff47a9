import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { decimalAt, startsWith } from './bytes.js';
import type { Client } from './client.js';
import { clock } from './connection.js';
import { Histogram } from './histogram.js';
import type { Answer, Measured, RunSpec } from './orders.js';
import { ID_DIGITS, TRAFFIC, type Traffic } from './traffic.js';
import type { Wire } from './wire.js';

/** More than are ever in flight. */
const REMEMBERED = 2 ** 21;
/** When each message was (to be) sent, by its number. */
const sentAt = new Float64Array(REMEMBERED);
let nextId = 0;

/** After the end everything in flight arrives within this time. */
const DRAIN_MS = 15_000;
/** Of a fixed rate, at least this much is acknowledged while it is measured. */
const LEAST_SHARE = 0.98;
/** Waits below it are spent in polling: timers are not that exact. */
const SPIN_MS = 1.5;

const ENGINE_PING = Buffer.from('2');

/** One run: loads a server, counts what comes back while it is measured, and checks that in the end nothing is missing. */
export class LoadRun {
  private readonly traffic: Traffic;
  private readonly delivery: Buffer | undefined;
  private readonly batch: Buffer | undefined;
  private readonly mark: Buffer | undefined;
  private readonly senders: readonly Client[];
  private readonly toAck = new Histogram();
  private readonly toDelivery = new Histogram();
  private sent = 0;
  private acked = 0;
  private deliveries = 0;
  private others = 0;
  private isSending = true;
  private from = Infinity;
  private until = Infinity;
  private fail!: (error: Error) => void;
  private readonly failure: Promise<never>;

  constructor(
    private readonly wire: Wire,
    clients: readonly Client[],
    private readonly spec: RunSpec,
    private readonly tell: (answer: Answer) => void,
  ) {
    this.traffic = TRAFFIC[spec.traffic];
    const { event, batch, mark } = this.traffic.delivery ?? {};
    this.delivery = event === undefined ? undefined : wire.event(event);
    this.batch = batch === undefined ? undefined : wire.event(batch);
    this.mark = mark;
    this.senders = clients.slice(0, spec.load.senders);
    this.failure = new Promise((_, reject) => {
      this.fail = reject;
    });
  }

  measure(): Promise<Measured> {
    return Promise.race([this.failure, this.loadAndCount()]);
  }

  failed(problem: string): void {
    this.fail(new Error(problem));
  }

  frame(client: Client, bytes: Buffer, at: number, end: number): void {
    if (this.delivery && startsWith(bytes, at, end, this.delivery)) {
      this.deliveries += 1;
      if (client.isSampled) this.marked(bytes, at, end, true);
    } else if (startsWith(bytes, at, end, this.wire.ack)) {
      this.acknowledged(client, bytes, at, end);
    } else if (this.wire.batches && this.batch && startsWith(bytes, at, end, this.batch)) {
      this.deliveries += this.marked(bytes, at, end, client.isSampled);
    } else if (startsWith(bytes, at, end, ENGINE_PING)) {
      client.send('3');
    } else this.other(bytes.toString('utf8', at, end));
  }

  private async loadAndCount(): Promise<Measured> {
    const { warmUpMs, measureMs } = this.spec;
    this.start();
    await pause(warmUpMs);
    const lag = monitorEventLoopDelay({ resolution: 5 });
    lag.enable();
    const before = { acked: this.acked, deliveries: this.deliveries, cpu: process.cpuUsage() };
    this.from = performance.now();
    this.tell({ tells: 'measuring' });
    await pause(measureMs);
    this.until = performance.now();
    this.tell({ tells: 'measured' });
    const cpu = process.cpuUsage(before.cpu);
    const seconds = (this.until - this.from) / 1000;
    const counted = { acked: this.acked - before.acked, deliveries: this.deliveries - before.deliveries };
    lag.disable();
    this.isSending = false;
    await this.drain();
    this.assertRate(counted.acked / seconds);
    return {
      seconds,
      ...counted,
      toAck: this.toAck.summary(),
      toDelivery: this.toDelivery.summary(),
      ackedInAll: this.acked,
      others: this.others,
      generator: { cpu: (cpu.user + cpu.system) / 1e6 / seconds, lagMs: lag.percentile(99) / 1e6 },
    };
  }

  private start(): void {
    const { load } = this.spec;
    if (load.loop === 'open')
      this.keepRate(load.perSecond).catch((error: unknown) => this.failed(String(error)));
    else
      for (const client of this.senders)
        for (let count = 0; count < load.inFlight; count += 1) this.send(client, performance.now());
  }

  /** Late sends count as late: their time is the one at which they should have left. */
  private async keepRate(perSecond: number): Promise<void> {
    const startedAt = performance.now();
    for (let count = 0; this.isSending; count += 1) {
      const due = startedAt + (count * 1000) / perSecond;
      for (let left = due - performance.now(); left > 0; left = due - performance.now())
        if (left > SPIN_MS) await pause(left - SPIN_MS);
        else await new Promise((resolve) => setImmediate(resolve));
      this.send(this.senders[count % this.senders.length] as Client, due);
    }
  }

  /** Of a queue that grows all the time, latencies say nothing. */
  private assertRate(acked: number): void {
    const { load } = this.spec;
    if (load.loop === 'open' && acked < LEAST_SHARE * load.perSecond)
      throw new Error(
        `the server does not keep up: ${Math.round(acked)}/s acknowledged of ${load.perSecond}/s sent`,
      );
  }

  private send(client: Client, at: number): void {
    const id = nextId++;
    const roomId = client.rooms[client.turn++ % client.rooms.length] ?? '';
    sentAt[id % REMEMBERED] = at;
    this.sent += 1;
    client.send(
      this.wire.command(id, this.traffic.command, this.traffic.payload(id, roomId, this.spec.stored)),
    );
  }

  private acknowledged(client: Client, bytes: Buffer, at: number, end: number): void {
    const id = decimalAt(bytes, at + this.wire.ack.length, end);
    if (!startsWith(bytes, id.end, end, this.wire.ok)) {
      this.failed(`refused: ${bytes.toString('utf8', at, end)}`);
      return;
    }
    this.acked += 1;
    this.time(this.toAck, id.value);
    if (this.isSending && this.spec.load.loop === 'closed') this.send(client, clock.now);
  }

  /** How many messages are in the frame. */
  private marked(bytes: Buffer, start: number, end: number, isTimed: boolean): number {
    const { mark } = this;
    if (!mark) return 0;
    const body = bytes.subarray(start, end);
    let count = 0;
    for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) {
      count += 1;
      if (!isTimed) continue;
      const first = at + mark.length;
      this.time(this.toDelivery, decimalAt(body, first, first + ID_DIGITS).value);
    }
    return count;
  }

  private time(histogram: Histogram, id: number): void {
    const start = sentAt[id % REMEMBERED] as number;
    if (start >= this.from && start < this.until) histogram.add(clock.now - start);
  }

  private other(text: string): void {
    this.others += 1;
    if (/^(41|44)|^42[^[]*\["(error|session:closing)"/.test(text)) this.failed(`told: ${text.slice(0, 500)}`);
  }

  private async drain(): Promise<void> {
    const expected = () => (this.delivery ? this.sent * this.spec.audience : 0);
    const deadline = performance.now() + DRAIN_MS;
    while (this.acked < this.sent || this.deliveries < expected()) {
      if (performance.now() > deadline) break;
      await pause(10);
    }
    // One too many is as wrong as one too few.
    await pause(50);
    if (this.acked === this.sent && this.deliveries === expected()) return;
    throw new Error(
      `${this.sent} sent, ${this.acked} acknowledged, ${this.deliveries} delivered instead of ${expected()}`,
    );
  }
}
