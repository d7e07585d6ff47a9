import fc from 'fast-check';
import { MemorySlidingWindowStore } from './memory-sliding-window.store.js';

function storeWithClock() {
  const clock = { now: 1000 };
  return { clock, store: new MemorySlidingWindowStore(() => clock.now) };
}

describe('MemorySlidingWindowStore', () => {
  it('allows `limit` hits in a window and says how long to wait', () => {
    const { clock, store } = storeWithClock();
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 })).toEqual({
      allowed: true,
      retryAfterMs: 0,
      remaining: 1,
      resetMs: 1000,
    });
    clock.now += 400;
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 })).toEqual({
      allowed: true,
      retryAfterMs: 0,
      remaining: 0,
      resetMs: 600,
    });
    clock.now += 100;
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 })).toEqual({
      allowed: false,
      retryAfterMs: 500,
      remaining: 0,
      resetMs: 500,
    });
  });

  it('slides: the place of the oldest hit is free again exactly one window later', () => {
    const { clock, store } = storeWithClock();
    store.hit('scope', 'a', { limit: 2, windowMs: 1000 });
    clock.now += 900;
    store.hit('scope', 'a', { limit: 2, windowMs: 1000 });
    clock.now += 99;
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 }).retryAfterMs).toBe(1);
    clock.now += 1;
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 }).allowed).toBe(true);
    // A fixed window would have started afresh here and allowed two.
    expect(store.hit('scope', 'a', { limit: 2, windowMs: 1000 }).retryAfterMs).toBe(900);
  });

  it('does not count a refused hit', () => {
    const { clock, store } = storeWithClock();
    store.hit('scope', 'a', { limit: 1, windowMs: 1000 });
    for (let i = 0; i < 50; i++) {
      clock.now += 10;
      expect(store.hit('scope', 'a', { limit: 1, windowMs: 1000 }).allowed).toBe(false);
    }
    clock.now += 500;
    expect(store.hit('scope', 'a', { limit: 1, windowMs: 1000 }).allowed).toBe(true);
  });

  it('keeps keys apart', () => {
    const { store } = storeWithClock();
    store.hit('scope', 'a', { limit: 1, windowMs: 1000 });
    expect(store.hit('scope', 'b', { limit: 1, windowMs: 1000 }).allowed).toBe(true);
  });

  it('gives the last place to one of many hits at once', () => {
    const { store } = storeWithClock();
    const hits = Array.from({ length: 100 }, () => store.hit('scope', 'a', { limit: 7, windowMs: 1000 }));
    expect(hits.filter(({ allowed }) => allowed)).toHaveLength(7);
  });

  it('drops expired subjects, also behind one with a longer window', () => {
    const { clock, store } = storeWithClock();
    store.hit('long', 'slow', { limit: 5, windowMs: 3_600_000 });
    for (let i = 0; i < 1000; i++) store.hit('scope', `key ${String(i)}`, { limit: 5, windowMs: 1000 });
    expect(store.size).toBe(1001);
    clock.now += 1000;
    for (let i = 0; i < 4100; i++) store.hit('scope', 'other', { limit: 1, windowMs: 1000 });
    expect(store.size).toBe(2);
  });

  it('never allows more than `limit` in any window, and refuses only then', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 300 }),
        (limit, gaps) => {
          const { clock, store } = storeWithClock();
          const allowed: number[] = [];
          for (const gap of gaps) {
            clock.now += gap;
            const inWindow = allowed.filter((time) => time > clock.now - 100).length;
            const hit = store.hit('scope', 'a', { limit: limit, windowMs: 100 });
            expect(hit.allowed).toBe(inWindow < limit);
            if (hit.allowed) allowed.push(clock.now);
          }
        },
      ),
    );
  });
});
