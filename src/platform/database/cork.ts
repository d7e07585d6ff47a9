import type { Duplex } from 'node:stream';
import type { PoolClient } from 'pg';

/** What is written until it is called leaves in one packet. The stream is not part of the driver's interface: without it, in several. */
export function cork(client: PoolClient): () => void {
  const { stream } = (client as { connection?: { stream?: Partial<Duplex> } }).connection ?? {};
  stream?.cork?.();
  return () => stream?.uncork?.();
}
