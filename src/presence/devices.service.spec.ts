import { DomainEvents } from '../platform/events/domain-events.js';
import { SocketClosed, SocketOpened } from '../platform/realtime/connections.events.js';
import { Devices } from './devices.service.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import { LEASE_MS, type Availability } from './presence.store.js';

const OFFLINE_MS = 10_000;

describe('devices', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /**
   * The process is stopped for longer than its lease (SIGSTOP, a laptop that sleeps). When it goes on, its first timer
   * is the one for somebody who left: those who are still connected must not be announced offline by it.
   */
  it('renew their lease before any reaping, so that a process that was stopped does not take itself for dead', async () => {
    const events = new DomainEvents();
    const announced: string[] = [];
    const roster = {
      deviceCame: () => undefined,
      deviceWent: () => undefined,
      load: () => Promise.resolve(),
      forget: () => undefined,
      saveLastSeenNow: () => Promise.resolve(),
      announce: (changes: Availability[]) => {
        announced.push(...changes.map(({ userId, status }) => `${userId} ${status}`));
        return Promise.resolve();
      },
    };
    const store = new MemoryPresenceStore({ lingerMs: OFFLINE_MS, leaseMs: LEASE_MS }, () => Date.now());
    const devices = new Devices(
      { presence: { awayMs: 3_600_000, offlineMs: OFFLINE_MS } } as never,
      events,
      { draining: false } as never,
      store,
      roster as never,
    );
    devices.onModuleInit();
    events.publish(new SocketOpened('alice', 'a', '/chat'));
    events.publish(new SocketOpened('bob', 'b', '/chat'));
    await jest.advanceTimersByTimeAsync(6000);
    events.publish(new SocketClosed('bob', 'b', '/chat'));
    await jest.advanceTimersByTimeAsync(9500);
    expect(announced).toEqual(['alice online', 'bob online']);
    jest.setSystemTime(Date.now() + LEASE_MS + OFFLINE_MS);
    await jest.advanceTimersByTimeAsync(1000);
    expect(announced).toEqual(['alice online', 'bob online', 'bob offline']);
    await devices.onModuleDestroy();
  });
});
