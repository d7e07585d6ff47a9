import { createAdapter } from '@socket.io/redis-adapter';
import type { RedisClients } from './redis.js';

/**
 * What is not of messages, or rare, goes to the other nodes over the stock adapter of Socket.IO. It never looks at what becomes
 * of a command, and subscribes once: here a failed publication is dropped, and subscriptions are made again with the connection.
 */
export function adapterOver(redis: RedisClients): ReturnType<typeof createAdapter> {
  const { commands, listener, prefix } = redis;
  const channels = new Set<string>();
  const patterns = new Set<string>();
  const dropped = () => undefined;
  redis.onBack(() => {
    if (channels.size > 0) listener.subscribe(...channels).catch(dropped);
    if (patterns.size > 0) listener.psubscribe(...patterns).catch(dropped);
  });
  const publisher = {
    publish: (channel: string, message: string | Buffer) =>
      void commands.publish(channel, message).catch(dropped),
    on: () => undefined,
    off: () => undefined,
  };
  const subscriber = {
    subscribe(names: string[]) {
      for (const name of names) channels.add(name);
      listener.subscribe(...names).catch(dropped);
    },
    psubscribe(pattern: string) {
      patterns.add(pattern);
      listener.psubscribe(pattern).catch(dropped);
    },
    unsubscribe(names: string[]) {
      for (const name of names) channels.delete(name);
      listener.unsubscribe(...names).catch(dropped);
    },
    punsubscribe(pattern: string) {
      patterns.delete(pattern);
      listener.punsubscribe(pattern).catch(dropped);
    },
    on: (event: string, heard: (...args: unknown[]) => void) => listener.on(event, heard),
    off: (event: string, heard: (...args: unknown[]) => void) => listener.off(event, heard),
  };
  return createAdapter(publisher, subscriber, { key: `${prefix}:socket.io` });
}
