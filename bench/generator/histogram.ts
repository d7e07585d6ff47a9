import type { Latency } from './orders.js';

/** Buckets grow by 1 %: that is how exact a percentile is. */
const GROWTH = Math.log(1.01);
const LEAST_MS = 0.01;
const BUCKETS = 1600;

/** Counts latencies without keeping them. */
export class Histogram {
  private readonly counts = new Uint32Array(BUCKETS);
  private total = 0;
  private max = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / GROWTH);
    const index = Math.min(bucket, BUCKETS - 1);
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.total += 1;
    if (ms > this.max) this.max = ms;
  }

  summary(): Latency {
    return { count: this.total, p50: this.at(0.5), p99: this.at(0.99), max: this.max };
  }

  private at(share: number): number {
    let left = Math.ceil(this.total * share);
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0 && count > 0) return LEAST_MS * Math.exp((bucket + 0.5) * GROWTH);
    }
    return NaN;
  }
}
