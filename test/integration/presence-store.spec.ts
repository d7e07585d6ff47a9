import { MemoryPresenceStore } from '../../src/presence/memory-presence.store.js';
import { describePresenceStore } from '../harness/presence-store.js';

describePresenceStore('the memory', (times) => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const store = new MemoryPresenceStore(times, () => now);
  return Promise.resolve({
    nodes: (count) => Array.from({ length: count }, () => store),
    pass: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
