/**
 * Prints `export` lines for the servers that answer on loopback, so that the suites use them; what does not answer
 * is left to the harness. Values that are set already win.
 */
import { connect } from 'node:net';
import pg from 'pg';

const POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres';
const REDIS = { host: '127.0.0.1', port: 6379 };

async function postgresAnswers() {
  const client = new pg.Client({ connectionString: POSTGRES, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function redisAnswers() {
  return new Promise((resolve) => {
    const socket = connect(REDIS, () => socket.write('PING\r\n'));
    const end = (answers) => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(2000, () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

const [postgres, redis] = await Promise.all([postgresAnswers(), redisAnswers()]);
if (postgres && !process.env.TEST_DATABASE_URL) console.log(`export TEST_DATABASE_URL=${POSTGRES}`);
if (redis && !process.env.TEST_REDIS_URL)
  console.log(`export TEST_REDIS_URL=redis://${REDIS.host}:${REDIS.port}`);
