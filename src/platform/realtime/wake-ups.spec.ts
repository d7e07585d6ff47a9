import type { RealtimeSocket } from './realtime-socket.js';
import { WakeUps } from './wake-ups.js';

describe('WakeUps', () => {
  const start = Date.UTC(2026, 0, 1);
  const socket = (id: string) => ({ id }) as RealtimeSocket;
  const [alice, bob, carol] = [socket('alice'), socket('bob'), socket('carol')];
  let woken: string[];
  let wakeUps: WakeUps;

  beforeEach(() => {
    jest.useFakeTimers({ now: start });
    woken = [];
    wakeUps = new WakeUps(({ id }) => void woken.push(id));
  });
  afterEach(() => {
    wakeUps.stop();
    jest.useRealTimers();
  });

  it('wakes everybody once, never early and a step late at most', () => {
    wakeUps.set(alice, start + 1001);
    wakeUps.set(bob, start + 3000);
    wakeUps.set(carol, start - 5);
    jest.advanceTimersByTime(250);
    expect(woken).toEqual(['carol']);
    jest.advanceTimersByTime(750);
    expect(woken).toEqual(['carol']);
    jest.advanceTimersByTime(250);
    expect(woken).toEqual(['carol', 'alice']);
    jest.advanceTimersByTime(60_000);
    expect(woken).toEqual(['carol', 'alice', 'bob']);
  });

  it('a later time replaces the earlier one, and who is gone is not woken', () => {
    wakeUps.set(alice, start + 1000);
    wakeUps.set(bob, start + 1000);
    wakeUps.set(alice, start + 2000);
    wakeUps.delete(bob);
    jest.advanceTimersByTime(1500);
    expect(woken).toEqual([]);
    jest.advanceTimersByTime(1000);
    expect(woken).toEqual(['alice']);
  });

  it('who is woken may ask to be woken again, also at once', () => {
    const again = new WakeUps((waiting) => {
      woken.push(waiting.id);
      if (woken.length < 3) again.set(waiting, Date.now() - 1000);
    });
    again.set(alice, start + 1000);
    jest.advanceTimersByTime(1000);
    expect(woken).toEqual(['alice']);
    jest.advanceTimersByTime(500);
    expect(woken).toEqual(['alice', 'alice', 'alice']);
    again.stop();
  });

  it('follows a clock that is put forward by a year, or back by an hour', () => {
    wakeUps.set(alice, start + 30 * 86_400_000);
    wakeUps.set(bob, start + 1000);
    jest.setSystemTime(start - 3_600_000);
    jest.advanceTimersByTime(10_000);
    expect(woken).toEqual([]);
    jest.setSystemTime(start + 365 * 86_400_000);
    jest.advanceTimersByTime(250);
    expect(woken.sort()).toEqual(['alice', 'bob']);
  });
});
