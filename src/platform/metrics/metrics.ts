import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { ErrorCode } from '../../contract/errors.js';
import { NAMESPACES } from '../../contract/namespaces.js';
import type { DecisionReason } from '../../contract/notifications.js';
import { Traffic } from './traffic.js';

export type CommandResult = 'ok' | ErrorCode;
/** `gone`: the browser's subscription no longer exists. */
export type PushResult = 'sent' | 'skipped' | 'gone' | 'failed';
export type EmailResult = 'sent' | 'skipped' | 'failed';
export type JobResult = 'ok' | 'retry' | 'dead';

/** The children of one command's labels, resolved once: this runs for every command of every socket. */
interface CommandSeries {
  readonly seconds: Histogram.Internal<'command'>;
  readonly results: Map<CommandResult, Counter.Internal>;
}

const FAST = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const UNKNOWN = 'unknown';

/**
 * What the server counts of itself. All labels come from closed sets: what a client invents never becomes a series.
 * Durations are given in ms, as differences of `performance.now()`, and shown in seconds, as Prometheus wants them.
 */
@Injectable()
export class Metrics {
  /** For the live statistics. */
  readonly traffic = new Traffic();
  /** Of this application, not of the process: tests start several in one. */
  private readonly registry = new Registry();
  private readonly registers = [this.registry];
  private readonly known: ReadonlySet<string> = new Set(
    Object.values(NAMESPACES).flatMap(({ commands }) => commands),
  );
  private readonly commandSeries = new Map<string, CommandSeries>();
  private readonly requestSeries = new Map<string, Counter.Internal>();

  private readonly sockets = new Gauge({
    name: 'parley_connections',
    help: 'Open sockets',
    labelNames: ['namespace'],
    registers: this.registers,
  });
  private readonly commandCount = new Counter({
    name: 'parley_commands_total',
    help: 'Commands answered, by result: ok or the error code',
    labelNames: ['command', 'result'],
    registers: this.registers,
  });
  private readonly commandSeconds = new Histogram({
    name: 'parley_command_duration_seconds',
    help: 'From receiving a command to its answer',
    labelNames: ['command'],
    buckets: FAST,
    registers: this.registers,
  });
  private readonly deliverySeconds = new Histogram({
    name: 'parley_commit_to_deliver_seconds',
    help: 'From the commit of a message to its hand-over to the local sockets',
    buckets: FAST,
    registers: this.registers,
  });
  private readonly batchSize = new Histogram({
    name: 'parley_write_batch_size',
    help: 'Messages written in one transaction',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    registers: this.registers,
  });
  private readonly batches = new Counter({
    name: 'parley_write_batches_total',
    help: 'Transactions of messages, by what they were decided on: known (one round trip) or read (two)',
    labelNames: ['decided_on'],
    registers: this.registers,
  });
  private readonly queueDepth = queueDepthOf(this.traffic, this.registers);
  private readonly frames = new Counter({
    name: 'parley_frames_total',
    help: 'Frames sent to connections, by path: queue, or plain (polling, volatile, binary)',
    labelNames: ['path'],
    registers: this.registers,
  });
  private readonly socketWrites = new Counter({
    name: 'parley_socket_writes_total',
    help: 'Writes in which the frames of the queue left',
    registers: this.registers,
  });
  private readonly redisUp = new Gauge({
    name: 'parley_redis_up',
    help: '1 while both connections to Redis stand; without REDIS_URL absent',
    registers: [],
  });
  private readonly packets = new Counter({
    name: 'parley_room_packets_total',
    help: 'Packets of room traffic between nodes: sent, received, or lost because Redis did not take them',
    labelNames: ['result'],
    registers: this.registers,
  });
  private readonly healedChanges = new Counter({
    name: 'parley_room_changes_healed_total',
    help: 'Changes of rooms that came from the log because no packet had brought them',
    registers: this.registers,
  });
  private readonly slowConsumers = new Counter({
    name: 'parley_slow_consumers_total',
    help: 'Connections cut because their client did not read',
    registers: this.registers,
  });
  private readonly throttles = new Counter({
    name: 'parley_throttled_total',
    help: 'Refusals by a limit',
    labelNames: ['scope'],
    registers: this.registers,
  });
  private readonly requests = new Counter({
    name: 'parley_http_requests_total',
    help: 'HTTP requests answered',
    labelNames: ['method', 'status'],
    registers: this.registers,
  });
  private readonly jobs = new Counter({
    name: 'parley_jobs_total',
    help: 'Attempts of background jobs: ok, retry (failed, to be tried again) or dead (failed for good)',
    labelNames: ['queue', 'result'],
    registers: this.registers,
  });
  private readonly outboxLagSeconds = new Gauge({
    name: 'parley_outbox_lag_seconds',
    help: 'Age of the oldest fact that waits for its consumer',
    labelNames: ['topic'],
    registers: this.registers,
  });
  private readonly outboxDead = new Counter({
    name: 'parley_outbox_dead_total',
    help: 'Facts that were given up',
    labelNames: ['topic'],
    registers: this.registers,
  });
  private readonly pushes = new Counter({
    name: 'parley_push_total',
    help: 'Attempts of web pushes: sent, skipped (read, muted ... meanwhile), gone (no such subscription) or failed',
    labelNames: ['result'],
    registers: this.registers,
  });
  private readonly emails = new Counter({
    name: 'parley_email_total',
    help: 'Attempts of mails: sent, skipped (nothing unseen any more) or failed',
    labelNames: ['result'],
    registers: this.registers,
  });
  private readonly decisions = new Counter({
    name: 'parley_notification_decisions_total',
    help: 'Decisions on whether somebody is told of a message, by reason',
    labelNames: ['reason'],
    registers: this.registers,
  });
  private readonly all = Registry.merge([this.registry, processRegistry()]);

  /** A command was answered. Names outside the contract share the label `unknown`. */
  command(name: string, result: CommandResult, durationMs: number): void {
    const label = this.known.has(name) ? name : UNKNOWN;
    const series = this.seriesOf(label);
    let counter = series.results.get(result);
    if (!counter) {
      counter = this.commandCount.labels(label, result);
      series.results.set(result, counter);
    }
    counter.inc();
    series.seconds.observe(durationMs / 1000);
    this.traffic.answered(result, durationMs);
  }

  /** One socket more (1) or less (-1). `namespace` is one of ours, e.g. `/chat`: counted once the handshake is accepted. */
  connections(namespace: string, change: 1 | -1): void {
    this.sockets.inc({ namespace }, change);
  }

  /** New messages, or changes, of one room and one commit were handed to the sockets. */
  delivered(msSinceCommit: number): void {
    this.deliverySeconds.observe(msSinceCommit / 1000);
  }

  batchWritten(messages: number): void {
    this.batchSize.observe(messages);
  }

  redis(isUp: boolean): void {
    this.registry.registerMetric(this.redisUp);
    this.redisUp.set(isUp ? 1 : 0);
  }

  roomPackets(result: 'sent' | 'received' | 'lost'): void {
    this.packets.inc({ result });
  }

  healed(changes: number): void {
    this.healedChanges.inc(changes);
  }

  batchDecidedOn(what: 'known' | 'read'): void {
    this.batches.inc({ decided_on: what });
  }

  framesWritten(path: 'queue' | 'plain', frames: number): void {
    this.frames.inc({ path }, frames);
  }

  socketsWritten(writes: number): void {
    this.socketWrites.inc(writes);
  }

  slowConsumer(): void {
    this.slowConsumers.inc();
  }

  /** `scope` is one of platform/throttling's. */
  throttled(scope: string): void {
    this.throttles.inc({ scope });
  }

  requestAnswered(method: string, status: number): void {
    const label = METHODS.has(method) ? method : 'other';
    const key = `${label} ${String(status)}`;
    let counter = this.requestSeries.get(key);
    if (!counter) {
      counter = this.requests.labels(label, String(status));
      this.requestSeries.set(key, counter);
    }
    counter.inc();
  }

  /** An attempt of a job ended. `queue` is one of those with a handler. */
  jobFinished(queue: string, result: JobResult): void {
    this.jobs.inc({ queue, result });
  }

  pushed(result: PushResult): void {
    this.pushes.inc({ result });
  }

  emailed(result: EmailResult): void {
    this.emails.inc({ result });
  }

  /** `topic` is one with a consumer. */
  outboxLag(topic: string, seconds: number): void {
    this.outboxLagSeconds.set({ topic }, seconds);
  }

  outboxDied(topic: string): void {
    this.outboxDead.inc({ topic });
  }

  notificationDecided(reason: DecisionReason): void {
    this.decisions.inc({ reason });
  }

  get contentType(): string {
    return this.all.contentType;
  }

  /** Everything in Prometheus' text format, with the process's own metrics. */
  text(): Promise<string> {
    return this.all.metrics();
  }

  private seriesOf(command: string): CommandSeries {
    let series = this.commandSeries.get(command);
    if (!series) {
      series = { seconds: this.commandSeconds.labels(command), results: new Map() };
      this.commandSeries.set(command, series);
    }
    return series;
  }
}

/** Looked at when somebody asks: it changes twice with every message. */
function queueDepthOf(traffic: Traffic, registers: Registry[]): Gauge {
  return new Gauge({
    name: 'parley_write_queue_depth',
    help: 'Messages waiting to be written',
    registers,
    collect() {
      this.set(traffic.queuedWrites);
    },
  });
}

let ofProcess: Registry | undefined;

/** Memory, CPU, event loop and garbage collection belong to the process: observed once, whatever number of apps it runs. */
function processRegistry(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
