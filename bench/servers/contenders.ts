import { fileURLToPath } from 'node:url';
import type { WireName } from '../generator/wire.js';
import type { Postgres } from '../database/postgres.js';
import type pg from 'pg';
import { insertPeople, SECRET, type Person } from './people.js';
import { ServerProcess } from './server-process.js';

/** A server that takes part, how it is spoken to, and what is to be cleared away after it. */
export interface Contender {
  server: ServerProcess;
  wire: WireName;
  /** Name of its database. */
  database?: string;
  stop(): Promise<void>;
}

/**
 * The product's settings: its defaults, but for these. The throttle is on and counts everything; nobody of the
 * benchmark reaches these limits.
 */
const PRODUCT_SETTINGS = {
  HOST: '127.0.0.1',
  JWT_SECRET: SECRET,
  LOG_LEVEL: 'error',
  LOG_FORMAT: 'json',
  SENDS_LIMIT: '1000000',
  COMMANDS_LIMIT: '10000000',
};

const compiled = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export type ServerName = 'product' | PeerName;
type Fill = (client: pg.Client) => Promise<void>;

export function startServer(
  postgres: Postgres,
  name: ServerName,
  people: readonly Person[],
  fill?: Fill,
): Promise<Contender> {
  return name === 'product' ? startProduct(postgres, people, fill) : startPeer(postgres, name);
}

/** The real server, with the people of the benchmark in its database. */
async function startProduct(postgres: Postgres, people: readonly Person[], fill?: Fill): Promise<Contender> {
  return withDatabase(postgres, async (databaseUrl) => {
    const env = { ...PRODUCT_SETTINGS, DATABASE_URL: databaseUrl };
    const server = await ServerProcess.start('product', compiled('../../src/main.js'), env);
    try {
      await insertPeople(databaseUrl, people, fill);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { server, wire: 'product' };
  });
}

const PEERS = { tutorial: 'socketio', socketio: 'socketio', ws: 'ws' } as const satisfies Record<
  string,
  WireName
>;
export type PeerName = keyof typeof PEERS;

async function startPeer(postgres: Postgres, name: PeerName): Promise<Contender> {
  const start = async (env: Record<string, string>) => ({
    server: await ServerProcess.start(name, compiled(`../peers/${name}.js`), { SECRET, ...env }),
    wire: PEERS[name],
  });
  if (name === 'tutorial') return withDatabase(postgres, (url) => start({ DATABASE_URL: url }));
  const { server, wire } = await start({});
  return { server, wire, stop: () => server.stop() };
}

async function withDatabase(
  postgres: Postgres,
  start: (databaseUrl: string) => Promise<Pick<Contender, 'server' | 'wire'>>,
): Promise<Contender> {
  const url = await postgres.createDatabase();
  try {
    const { server, wire } = await start(url);
    const stop = async () => {
      await server.stop();
      await postgres.dropDatabase(url);
    };
    return { server, wire, database: new URL(url).pathname.slice(1), stop };
  } catch (error) {
    await postgres.dropDatabase(url);
    throw error;
  }
}
