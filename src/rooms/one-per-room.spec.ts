import { OnePerRoom } from './one-per-room.js';

describe('OnePerRoom', () => {
  it('keeps the order within a room, holds up no other, outlives failures and forgets idle rooms', async () => {
    const line = new OnePerRoom();
    const log: string[] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = line.run('a', async () => {
      await gate;
      log.push('a1');
      throw new Error('a1 failed');
    });
    const second = line.run('a', () => Promise.resolve(log.push('a2')));
    await line.run('b', () => Promise.resolve(log.push('b1')));
    expect(log).toEqual(['b1']);
    expect(line.size).toBe(1);
    open();
    await expect(first).rejects.toThrow('a1 failed');
    await second;
    expect(log).toEqual(['b1', 'a1', 'a2']);
    await Promise.resolve();
    expect(line.size).toBe(0);
  });
});
