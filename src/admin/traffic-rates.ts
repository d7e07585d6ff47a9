import type { AdminStats } from '../contract/admin.js';
import type { ErrorCode } from '../contract/errors.js';
import { difference, percentile } from '../platform/metrics/duration-buckets.js';
import type { TrafficTotals } from '../platform/metrics/traffic.js';

/** The sums at one moment, by `performance.now()`. */
export interface TrafficSample {
  takenAt: number;
  totals: TrafficTotals;
}

type Rates = Pick<
  AdminStats,
  'messagesPerSecond' | 'deliveriesPerSecond' | 'commandsPerSecond' | 'ackMs' | 'errors'
>;

/** What went through between two moments. */
export function trafficBetween(before: TrafficSample, after: TrafficSample): Rates {
  const seconds = Math.max(after.takenAt - before.takenAt, 1) / 1000;
  const [from, to] = [before.totals, after.totals];
  const perSecond = (end: number, start: number) => round((end - start) / seconds);
  return {
    messagesPerSecond: perSecond(to.messages, from.messages),
    deliveriesPerSecond: perSecond(to.deliveries, from.deliveries),
    commandsPerSecond: perSecond(to.commands, from.commands),
    ackMs: ackBetween(from, to),
    errors: errorsBetween(from, to),
  };
}

function ackBetween(from: TrafficTotals, to: TrafficTotals): AdminStats['ackMs'] {
  const counts = difference(to.ackMs, from.ackMs);
  const [p50, p99] = [percentile(counts, 0.5), percentile(counts, 0.99)];
  return p50 === null || p99 === null ? null : { p50: round(p50), p99: round(p99) };
}

function errorsBetween(from: TrafficTotals, to: TrafficTotals): Partial<Record<ErrorCode, number>> {
  const errors: Partial<Record<ErrorCode, number>> = {};
  for (const [code, count] of to.errors) {
    const more = count - (from.errors.get(code) ?? 0);
    if (more > 0) errors[code] = more;
  }
  return errors;
}

/** Two decimals: 0.5 a second is one message in the two seconds. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
