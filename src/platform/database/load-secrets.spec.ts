import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/config.js';
import { loadSecrets } from './load-secrets.js';

describe('loadSecrets', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'parley-secrets-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it('makes them once, readable by the owner alone', async () => {
    const config = loadConfig({ DATA_DIR: dataDir });
    const first = await loadSecrets(config);
    expect(Buffer.byteLength(first.jwtSecret)).toBeGreaterThanOrEqual(32);
    expect(await loadSecrets(config)).toEqual(first);
    expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('prefers what is configured, and writes nothing then', async () => {
    const jwtSecret = 'x'.repeat(32);
    expect(await loadSecrets(loadConfig({ DATA_DIR: dataDir, JWT_SECRET: jwtSecret }))).toEqual({
      jwtSecret,
    });
    await expect(readFile(join(dataDir, 'secrets.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a damaged file instead of signing everybody out', async () => {
    await writeFile(join(dataDir, 'secrets.json'), '{"jwtSecret":"sho');
    await expect(loadSecrets(loadConfig({ DATA_DIR: dataDir }))).rejects.toThrow('damaged');
  });
});
