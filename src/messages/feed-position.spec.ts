import fc from 'fast-check';
import { FeedPosition } from './feed-position.js';

describe('the position of a feed', () => {
  it('lets each change pass once, in whatever order they come, and knows what is missing', () => {
    const arrivals = fc
      .shuffledSubarray(Array.from({ length: 30 }, (_, index) => index + 11))
      .chain((some) => fc.array(fc.constantFrom(...(some.length > 0 ? some : [11])), { maxLength: 60 }));
    fc.assert(
      fc.property(arrivals, (revs) => {
        const position = new FeedPosition(10);
        const told = new Set<number>();
        for (const rev of revs) {
          expect(position.take(rev)).toBe(!told.has(rev));
          told.add(rev);
        }
        const head = Math.max(10, ...told);
        for (let rev = 11; rev <= head; rev++) expect(position.has(rev)).toBe(told.has(rev));
        let complete = 10;
        while (told.has(complete + 1)) complete += 1;
        expect(position.complete).toBe(complete);
        expect(position.hasHoles).toBe(complete < head);
        position.read(head);
        expect(position).toMatchObject({ complete: head, hasHoles: false });
      }),
    );
  });

  it('passes on what was on its way when it began', () => {
    expect(new FeedPosition(10).take(10)).toBe(true);
  });

  it('does not count a large hole one by one, and still has all of it read', () => {
    const position = new FeedPosition(5);
    position.take(6);
    position.take(1_000_000);
    expect(position).toMatchObject({ complete: 6, hasHoles: true });
    expect([7, 500_000, 999_999].map((rev) => position.has(rev))).toEqual([false, false, false]);
    expect(position.take(7)).toBe(true);
    position.read(1_000_000);
    expect(position).toMatchObject({ complete: 1_000_000, hasHoles: false });
    expect(position.take(7)).toBe(false);
  });
});
