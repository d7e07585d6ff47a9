import type { Availability, DeviceStatus, PresenceStore } from '../../src/presence/presence.store.js';

export const LINGER_MS = 10_000;
export const LEASE_MS = 30_000;

/** A store on a clock of the test; every handle is as another node has it. */
export interface StoreUnderTest {
  /** The store as `count` nodes reach it; the same object for all when it lives in one process. */
  nodes(count: number): PresenceStore[];
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

type Make = (times: { lingerMs: number; leaseMs: number }) => Promise<StoreUnderTest>;

/** What every implementation of `PresenceStore` has to do, whatever it is made of. */
export function describePresenceStore(name: string, make: Make): void {
  describe(`${name} as PresenceStore`, () => {
    let world: StoreUnderTest;
    let a: PresenceStore, b: PresenceStore;
    beforeEach(async () => {
      world = await make({ lingerMs: LINGER_MS, leaseMs: LEASE_MS });
      [a, b] = world.nodes(2) as [PresenceStore, PresenceStore];
    });
    afterEach(() => world.close());

    const device = (userId: string, deviceId: string, status: DeviceStatus = 'online') => ({
      userId,
      deviceId,
      status,
    });
    const statuses = (changes: Availability[]) => changes.map(({ userId, status }) => `${userId} ${status}`);
    const reaped = async (store: PresenceStore) => statuses((await store.reap()).changes);
    const statusOf = async (userId: string) => (await b.read([userId])).map(({ status }) => status)[0];

    it('knows nobody at first', async () => {
      expect(await a.read(['nobody', 'none'])).toMatchObject([
        { userId: 'nobody', status: 'offline' },
        { userId: 'none', status: 'offline' },
      ]);
      expect(await a.reap()).toEqual({ changes: [] });
    });

    it('announces a user with many devices on two nodes once', async () => {
      const on = (node: string) =>
        Array.from({ length: 50 }, (_, index) => device('ada', `${node}${String(index)}`));
      const changes = [
        ...(await Promise.all([a.report('a', on('a')), b.report('b', on('b'))])),
        await a.report('a', on('a')),
      ].flat();
      expect(statuses(changes)).toEqual(['ada online']);
      expect(await statusOf('ada')).toBe('online');
      await a.remove('a', on('a'));
      await b.remove('b', on('b').slice(1));
      await world.pass(LINGER_MS + 1);
      await a.renew('a');
      await b.renew('b');
      expect([...(await reaped(a)), ...(await reaped(b))]).toEqual([]);
      expect(await statusOf('ada')).toBe('online');
    });

    it('announces the end when the last device has been gone for a while, with when that was', async () => {
      await a.report('a', [device('ada', '1')]);
      const before = (await a.read(['ada']))[0]!.version;
      await a.remove('a', [device('ada', '1')]);
      expect((await a.reap()).nextMs).toBeLessThanOrEqual(LINGER_MS);
      await world.pass(LINGER_MS - 1000);
      expect(await reaped(b)).toEqual([]);
      expect(await statusOf('ada')).toBe('online');
      await world.pass(1001);
      const { changes, nextMs } = await b.reap();
      expect(statuses(changes)).toEqual(['ada offline']);
      expect(changes[0]!.version).toBeGreaterThan(before);
      expect(changes[0]!.lastSeenAt).toEqual(expect.any(Number));
      expect(nextMs).toBeUndefined();
      expect(await statusOf('ada')).toBe('offline');
      expect((await a.read(['ada']))[0]!.version).toBeGreaterThanOrEqual(changes[0]!.version);
      expect(await reaped(a)).toEqual([]);
    });

    it('announces nothing of a connection that flaps, also from node to node', async () => {
      expect(statuses(await a.report('a', [device('ada', 'first')]))).toEqual(['ada online']);
      for (let flap = 0; flap < 30; flap += 1) {
        const [node, store] = flap % 2 ? (['a', a] as const) : (['b', b] as const);
        expect(await store.report(node, [device('ada', `flap ${String(flap)}`)])).toEqual([]);
        await store.remove(node, [device('ada', `flap ${String(flap)}`)]);
        if (flap === 0) await a.remove('a', [device('ada', 'first')]);
        await world.pass(LINGER_MS - 1000);
        await a.renew('a');
        await b.renew('b');
        expect([...(await reaped(a)), ...(await reaped(b))]).toEqual([]);
      }
      await world.pass(1001);
      expect(await reaped(a)).toEqual(['ada offline']);
    });

    it('takes the best device: busy, then online, then away', async () => {
      expect(statuses(await a.report('a', [device('ada', '1', 'away')]))).toEqual(['ada away']);
      expect(statuses(await b.report('b', [device('ada', '2', 'online')]))).toEqual(['ada online']);
      expect(statuses(await a.report('a', [device('ada', '3', 'busy')]))).toEqual(['ada busy']);
      expect(await b.report('b', [device('ada', '2', 'away')])).toEqual([]);
      expect(statuses(await a.report('a', [device('ada', '3', 'online')]))).toEqual(['ada online']);
      expect(statuses(await a.report('a', [device('ada', '3', 'away')]))).toEqual(['ada away']);
      // A device that is gone counts with what it was: a reload of the better one shows nothing.
      await a.report('a', [device('ada', '3', 'online')]);
      await a.remove('a', [device('ada', '3')]);
      expect(await statusOf('ada')).toBe('online');
      await world.pass(LINGER_MS + 1);
      expect(await reaped(b)).toEqual(['ada away']);
    });

    it('reaps a dead node from another one: within lease, linger and one interval, once', async () => {
      await a.report('a', [device('ada', '1'), device('bea', '2')]);
      await b.report('b', [device('bea', '3')]);
      const changes: string[] = [];
      for (let ms = 5000; ms <= LEASE_MS + LINGER_MS + 5000; ms += 5000) {
        await world.pass(5000);
        await b.renew('b');
        if (ms < LEASE_MS) expect(await statusOf('ada')).toBe('online');
        changes.push(...(await Promise.all([reaped(b), reaped(b)])).flat());
      }
      expect(changes).toEqual(['ada offline']);
      expect(await statusOf('bea')).toBe('online');
      expect(await a.renew('a')).toBe(false);
      expect(statuses(await a.report('a', [device('ada', '1')]))).toEqual(['ada online']);
    });

    it('ends everybody at their time, also when a lease that was over is found later', async () => {
      await a.report('a', [device('ada', '1')]);
      await b.report('b', [device('bea', '2'), device('cid', '3')]);
      await world.pass(LEASE_MS - 1000);
      await b.renew('b');
      await b.remove('b', [device('bea', '2')]);
      await world.pass(5000);
      await b.remove('b', [device('cid', '3')]);
      // The lease ended 4 s ago: between the two.
      expect(await b.reap()).toEqual({ changes: [], nextMs: LINGER_MS - 5000 });
      for (const [ms, userId] of [
        [5000, 'bea'],
        [1000, 'ada'],
        [4000, 'cid'],
      ] as const) {
        await world.pass(ms - 1);
        expect(await reaped(b)).toEqual([]);
        await world.pass(1);
        expect(await reaped(b)).toEqual([`${userId} offline`]);
      }
    });

    it('tells an end to exactly one of two nodes that reap at once', async () => {
      const people = Array.from({ length: 200 }, (_, index) =>
        device(`user ${String(index)}`, String(index)),
      );
      await a.report('a', people);
      await a.remove('a', people);
      await world.pass(LINGER_MS + 1);
      const changes = (await Promise.all([reaped(a), reaped(b), reaped(a), reaped(b)])).flat();
      expect(changes.sort()).toEqual(people.map(({ userId }) => `${userId} offline`).sort());
    });

    it('keeps 10,000 devices with one renewal, and lets go of all with one leave', async () => {
      const people = Array.from({ length: 10_000 }, (_, index) => device(`u${String(index)}`, String(index)));
      expect(await a.report('a', people)).toHaveLength(10_000);
      for (let beat = 0; beat < 5; beat += 1) {
        await world.pass(10_000);
        expect(await a.renew('a')).toBe(true);
        expect(await reaped(b)).toEqual([]);
      }
      await a.leave('a');
      expect(await a.renew('a')).toBe(false);
      await world.pass(LINGER_MS + 1);
      expect(await reaped(b)).toHaveLength(10_000);
    });

    it('takes what it knows already, and what it never knew, without a change', async () => {
      await a.report('a', [device('ada', '1')]);
      expect(await a.report('a', [device('ada', '1')])).toEqual([]);
      await a.remove('a', [device('ada', 'unknown'), device('nobody', '2')]);
      await b.remove('unknown', [device('ada', '1')]);
      await b.leave('unknown');
      expect(await b.renew('unknown')).toBe(false);
      await world.pass(LINGER_MS + 1);
      expect(await reaped(a)).toEqual([]);
      expect(await statusOf('ada')).toBe('online');
    });

    it('gives each change of a user a higher version', async () => {
      const versions: number[] = [];
      for (const status of ['away', 'online', 'busy', 'away'] as const)
        versions.push(...(await a.report('a', [device('ada', '1', status)])).map(({ version }) => version));
      await a.leave('a');
      await world.pass(LINGER_MS + 1);
      versions.push(...(await b.reap()).changes.map(({ version }) => version));
      versions.push(...(await b.report('b', [device('ada', '2')])).map(({ version }) => version));
      expect(versions).toHaveLength(6);
      expect(new Set(versions).size).toBe(6);
      expect(versions).toEqual([...versions].sort((x, y) => x - y));
    });
  });
}
