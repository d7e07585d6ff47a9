/** Buckets grow by 2^(1/8), so a percentile is off by a tenth at most; from 0.05 ms up to 14 minutes. */
const LEAST_MS = 0.05;
const PER_DOUBLING = 8;
const BUCKETS = 24 * PER_DOUBLING;

/** Counts of durations by bucket, in the order of the buckets. */
export type DurationCounts = Readonly<Float64Array>;

/** Durations in a fixed number of buckets: counting one costs a logarithm, an interval is the difference of two copies. */
export class DurationBuckets {
  private readonly counts = new Float64Array(BUCKETS);

  add(ms: number): void {
    const exact = Math.ceil(Math.log2(ms / LEAST_MS) * PER_DOUBLING);
    const bucket = Math.min(Math.max(exact, 0), BUCKETS - 1);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  copy(): DurationCounts {
    return this.counts.slice();
  }
}

export function difference(after: DurationCounts, before: DurationCounts): DurationCounts {
  return after.map((count, bucket) => count - (before[bucket] ?? 0));
}

/** The duration that a share of them does not exceed, interpolated inside its bucket; null when there was none. */
export function percentile(counts: DurationCounts, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && left <= count) {
      const above = bucket === 0 ? 0 : boundOf(bucket - 1);
      return above + (boundOf(bucket) - above) * (left / count);
    }
    left -= count;
  }
  return boundOf(BUCKETS - 1);
}

function boundOf(bucket: number): number {
  return LEAST_MS * 2 ** (bucket / PER_DOUBLING);
}
