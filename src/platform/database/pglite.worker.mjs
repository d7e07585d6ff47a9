/**
 * The thread in which PGlite (Postgres in WebAssembly) runs: a long statement would block the event loop otherwise.
 * Takes groups of bytes of the Postgres protocol and answers them strictly in order; `null` closes the database.
 * Plain JavaScript, because a worker is started from a file, under Jest too, and Jest transforms only its own imports.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** @type {unknown} */
const dataDir = workerData;
if (!parentPort || typeof dataDir !== 'string')
  throw new Error('pglite.worker.mjs runs in a worker thread, given a data directory');
const port = parentPort;

// The default of 128 MB for shared buffers would be a third of the process. There is one session, ever.
const settings = ['shared_buffers=32MB', 'max_connections=5'].flatMap((setting) => ['-c', setting]);
const database = await PGlite.create({ dataDir, startParams: [...PGlite.defaultStartParams, ...settings] });

port.on('message', (/** @type {Uint8Array | null} */ message) => {
  if (message) answer(message);
  else void close();
});
// The first message says that the database is open; every other one is an answer.
port.postMessage(null);

/** An exception ends the thread, and with it every connection: nobody knows what state the database is in. */
function answer(/** @type {Uint8Array} */ message) {
  // Without waiting in between, so answers cannot overtake each other. The file system of Node needs no `syncToFs`.
  const reply = database.execProtocolRawSync(message);
  port.postMessage(reply, [/** @type {ArrayBuffer} */ (reply.buffer)]);
}

async function close() {
  await database.close();
  port.close();
}
