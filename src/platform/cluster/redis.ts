import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';

/** `RedisClients`, or null without REDIS_URL: then this is the only node. */
export const REDIS = Symbol('REDIS');

const CONNECT_TIMEOUT_MS = 5000;
/** A command that is not answered by then has failed: whoever waits goes on without Redis. */
const COMMAND_TIMEOUT_MS = 2000;
const KEEP_ALIVE_MS = 10_000;
const RECONNECT_MS = { first: 50, most: 2000 };

/** The message is one sentence for the operator, without the password. */
export class RedisUnavailable extends Error {
  constructor(where: string, cause: Error) {
    super(`Cannot use Redis at ${where}: ${cause.message}`, { cause });
    this.name = 'RedisUnavailable';
  }
}

/**
 * The connections of this node to Redis: one that asks and publishes, one that listens. They come back by themselves.
 * While Redis is away commands fail at once: nothing in it is precious, and nobody waits for it.
 */
export class RedisClients {
  readonly commands: Redis;
  readonly listener: Redis;
  /** Tells what this node has sent from what others have. */
  readonly node = randomUUID();
  private readonly logger = new Logger('Redis');
  private readonly whenBack: (() => void)[] = [];
  private up = false;
  private isClosing = false;

  constructor(
    url: string,
    /** Begins the names of keys and channels, which several installations may share a server for. */
    readonly prefix: string,
    private readonly changed: (isUp: boolean) => void,
  ) {
    this.commands = new Redis(url, { ...OPTIONS, enableAutoPipelining: true, connectionName: 'parley' });
    this.listener = new Redis(url, { ...OPTIONS, connectionName: 'parley-listener' });
    for (const client of [this.commands, this.listener]) {
      client.on('ready', () => this.look());
      client.on('close', () => this.look());
      // Told once by `look`, not at every attempt to come back.
      client.on('error', (error) => this.logger.debug({ err: error }, 'A connection to Redis failed'));
    }
  }

  /** Both connections stand. */
  get isUp(): boolean {
    return this.up;
  }

  /** Fails with the first connection that fails; they go on trying all the same. */
  async connect(): Promise<void> {
    const { host = '', port = 0 } = this.commands.options;
    const failed = (error: Error) => {
      throw new RedisUnavailable(`${host}:${String(port)}`, error);
    };
    await Promise.all([this.commands, this.listener].map((client) => reach(client).catch(failed)));
  }

  /** Each time both connections stand again. */
  onBack(listener: () => void): void {
    this.whenBack.push(listener);
  }

  close(): void {
    this.isClosing = true;
    for (const client of [this.commands, this.listener]) client.disconnect();
  }

  private look(): void {
    const isUp = this.commands.status === 'ready' && this.listener.status === 'ready';
    if (isUp === this.up || this.isClosing) return;
    this.up = isUp;
    this.changed(isUp);
    if (isUp) this.logger.log('Connected');
    else this.logger.warn('Not connected: what other nodes write reaches the sockets of this one late');
    if (isUp) for (const listener of this.whenBack) listener();
  }
}

const OPTIONS: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  commandTimeout: COMMAND_TIMEOUT_MS,
  keepAlive: KEEP_ALIVE_MS,
  // Whoever subscribes does it again: the library would, and would not look at what becomes of it.
  autoResubscribe: false,
  retryStrategy: (attempt) =>
    Math.min(RECONNECT_MS.most, RECONNECT_MS.first * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2),
};

/** `connect` of the library says only that the connection was closed; why, says the error before that. */
async function reach(client: Redis): Promise<void> {
  let reason: Error | undefined;
  const note = (error: Error) => (reason = error);
  client.on('error', note);
  try {
    await client.connect();
  } catch (error) {
    throw reason ?? (error instanceof Error ? error : new Error(String(error)));
  } finally {
    client.off('error', note);
  }
}
