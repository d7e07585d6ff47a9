import { difference, DurationBuckets, percentile } from './duration-buckets.js';

describe('DurationBuckets', () => {
  // Most durations of one kind are alike, so they share a bucket: its whole width is the error.
  it.each([0.06, 0.9, 1, 7.3, 64, 999, 60_000, 700_000])(
    'tells percentiles within a tenth, where everything took %d ms',
    (ms) => {
      const buckets = new DurationBuckets();
      for (let index = 0; index < 1000; index++) buckets.add(ms);
      for (const share of [0.001, 0.5, 0.99, 1])
        expect(Math.abs(percentile(buckets.copy(), share)! / ms - 1)).toBeLessThan(0.1);
    },
  );

  it('tells percentiles within a tenth, where durations differ', () => {
    const buckets = new DurationBuckets();
    for (let ms = 1; ms <= 1000; ms++) buckets.add(ms);
    for (const [share, exact] of [
      [0.01, 10],
      [0.5, 500],
      [0.99, 990],
    ] as const)
      expect(Math.abs(percentile(buckets.copy(), share)! / exact - 1)).toBeLessThan(0.1);
  });

  it('tells of an interval by the difference of two copies, and of an empty one nothing', () => {
    const buckets = new DurationBuckets();
    for (let index = 0; index < 100; index++) buckets.add(1);
    const before = buckets.copy();
    expect(percentile(difference(buckets.copy(), before), 0.5)).toBeNull();
    for (let index = 0; index < 10; index++) buckets.add(200);
    const p50 = percentile(difference(buckets.copy(), before), 0.5)!;
    expect(Math.abs(p50 / 200 - 1)).toBeLessThan(0.1);
  });

  it('takes what is shorter or longer than any bucket, and nothing that is no time', () => {
    const buckets = new DurationBuckets();
    for (const ms of [0, 1e-9, 1e12, Number.POSITIVE_INFINITY]) buckets.add(ms);
    expect(buckets.copy().reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(percentile(buckets.copy(), 0.25)).toBeLessThanOrEqual(0.05);
    expect(percentile(buckets.copy(), 1)).toBeGreaterThan(600_000);
  });
});
