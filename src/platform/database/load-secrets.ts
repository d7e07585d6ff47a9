import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { Secrets } from '../config/secrets.js';

const SECRET_BYTES = 48;

/**
 * The configured secrets, or, in embedded mode, those made at the first start and kept in the data directory, readable
 * by its owner alone. The caller holds the lock on the directory.
 */
export async function loadSecrets({
  auth,
  database,
  dataDir,
}: Pick<Config, 'auth' | 'database' | 'dataDir'>): Promise<Secrets> {
  if (auth.jwtSecret !== undefined) return { jwtSecret: auth.jwtSecret };
  if (database.kind !== 'embedded') throw new Error('JWT_SECRET is needed with DATABASE_URL');
  const file = join(dataDir, 'secrets.json');
  return (await read(file)) ?? (await generate(file));
}

async function read(file: string): Promise<Secrets | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const jwtSecret = secretIn(text);
  // Making a new one would end every sign-in without a word.
  if (jwtSecret === undefined)
    throw new Error(`${file} is damaged: restore it, or delete it, which signs everybody out`);
  return { jwtSecret };
}

function secretIn(text: string): string | undefined {
  try {
    const { jwtSecret } = JSON.parse(text) as Partial<Record<keyof Secrets, unknown>>;
    return typeof jwtSecret === 'string' && Buffer.byteLength(jwtSecret) >= 32 ? jwtSecret : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed: a crash leaves no half of a secret. */
async function generate(file: string): Promise<Secrets> {
  const secrets: Secrets = { jwtSecret: randomBytes(SECRET_BYTES).toString('base64url') };
  const draft = await open(`${file}.new`, 'w', 0o600);
  try {
    await draft.writeFile(`${JSON.stringify(secrets)}\n`);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(`${file}.new`, file);
  return secrets;
}
