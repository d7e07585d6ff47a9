import fc from 'fast-check';
import { MemorySlidingWindowStore } from './memory-sliding-window.store.js';

function storeWithClock() {
  const clock = { now: 1000 };
  return { clock, store: new MemorySlidingWindowStore(() => clock.now) };
}

describe('MemorySlidingWindowStore', () => {
  it('allows `limit` hits in a window and says how long to wait', async () => {
    const { clock, store } = storeWithClock();
    expect(await store.hit('a', 2, 1000)).toEqual({
      allowed: true,
      retryAfterMs: 0,
      remaining: 1,
      resetMs: 1000,
    });
    clock.now += 400;
    expect(await store.hit('a', 2, 1000)).toEqual({
      allowed: true,
      retryAfterMs: 0,
      remaining: 0,
      resetMs: 600,
    });
    clock.now += 100;
    expect(await store.hit('a', 2, 1000)).toEqual({
      allowed: false,
      retryAfterMs: 500,
      remaining: 0,
      resetMs: 500,
    });
  });

  it('slides: the place of the oldest hit is free again exactly one window later', async () => {
    const { clock, store } = storeWithClock();
    await store.hit('a', 2, 1000);
    clock.now += 900;
    await store.hit('a', 2, 1000);
    clock.now += 99;
    expect((await store.hit('a', 2, 1000)).retryAfterMs).toBe(1);
    clock.now += 1;
    expect((await store.hit('a', 2, 1000)).allowed).toBe(true);
    // A fixed window would have started afresh here and allowed two.
    expect((await store.hit('a', 2, 1000)).retryAfterMs).toBe(900);
  });

  it('does not count a refused hit', async () => {
    const { clock, store } = storeWithClock();
    await store.hit('a', 1, 1000);
    for (let i = 0; i < 50; i++) {
      clock.now += 10;
      expect((await store.hit('a', 1, 1000)).allowed).toBe(false);
    }
    clock.now += 500;
    expect((await store.hit('a', 1, 1000)).allowed).toBe(true);
  });

  it('keeps keys apart', async () => {
    const { store } = storeWithClock();
    await store.hit('a', 1, 1000);
    expect((await store.hit('b', 1, 1000)).allowed).toBe(true);
  });

  it('gives the last place to one of many hits at once', async () => {
    const { store } = storeWithClock();
    const hits = await Promise.all(Array.from({ length: 100 }, () => store.hit('a', 7, 1000)));
    expect(hits.filter(({ allowed }) => allowed)).toHaveLength(7);
  });

  it('drops expired keys, also behind a key with a longer window', async () => {
    const { clock, store } = storeWithClock();
    await store.hit('slow', 5, 3_600_000);
    for (let i = 0; i < 1000; i++) await store.hit(`key ${String(i)}`, 5, 1000);
    expect(store.size).toBe(1001);
    clock.now += 1000;
    for (let i = 0; i < 500; i++) await store.hit('other', 1, 1000);
    expect(store.size).toBe(2);
  });

  it('never allows more than `limit` in any window, and refuses only then', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 300 }),
        async (limit, gaps) => {
          const { clock, store } = storeWithClock();
          const allowed: number[] = [];
          for (const gap of gaps) {
            clock.now += gap;
            const inWindow = allowed.filter((time) => time > clock.now - 100).length;
            const hit = await store.hit('a', limit, 100);
            expect(hit.allowed).toBe(inWindow < limit);
            if (hit.allowed) allowed.push(clock.now);
          }
        },
      ),
    );
  });
});
