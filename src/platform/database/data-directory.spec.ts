import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectory, DataDirectoryInUse } from './data-directory.js';
import { ownIdentity } from './process-identity.js';

const STALE_SECONDS = 15;

describe('DataDirectory', () => {
  let directory: string;
  const children: ChildProcess[] = [];
  const lockFiles = async () => (await readdir(directory)).filter((name) => name.startsWith('parley.lock'));
  const leaveLock = (number: number, content: string) =>
    writeFile(join(directory, `parley.lock.${String(number)}`), content);
  const age = (number: number, seconds: number) => {
    const then = new Date(Date.now() - seconds * 1000);
    return utimes(join(directory, `parley.lock.${String(number)}`), then, then);
  };
  /** Another process, and a lock file that says it holds the directory. */
  async function otherHolder(number: number): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    children.push(child);
    await once(child, 'spawn');
    await leaveLock(number, JSON.stringify({ ...ownIdentity(), pid: child.pid, startedAt: null }));
    return child;
  }
  async function kill(child: ChildProcess): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'parley-lock-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  it('is held once, and free after release', async () => {
    const first = await DataDirectory.lock(directory);
    await expect(DataDirectory.lock(directory)).rejects.toThrow(
      `${directory} is in use by process ${String(process.pid)}`,
    );
    await first.release();
    const second = await DataDirectory.lock(directory);
    expect(await lockFiles()).toHaveLength(1);
    await second.release();
  });

  it('refuses a directory of another running process, and takes it over when that was killed', async () => {
    const child = await otherHolder(4);
    await expect(DataDirectory.lock(directory)).rejects.toMatchObject({
      name: 'DataDirectoryInUse',
      holder: { pid: child.pid },
    });
    await kill(child);
    const lock = await DataDirectory.lock(directory);
    expect(await lockFiles()).toEqual(['parley.lock.5']);
    await lock.release();
  });

  it('knows that another process got the number of the holder', async () => {
    await leaveLock(1, JSON.stringify({ ...ownIdentity(), startedAt: '1' }));
    const lock = await DataDirectory.lock(directory);
    await lock.release();
  });

  it('lets one of many racing starters win, round after round', async () => {
    await leaveLock(1, JSON.stringify({ ...ownIdentity(), startedAt: '1' }));
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => DataDirectory.lock(directory)),
      );
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const refused = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      expect(won).toHaveLength(1);
      for (const reason of refused) expect(reason).toBeInstanceOf(DataDirectoryInUse);
      await won[0]?.release();
    }
  });

  it('takes over from another host that was silent for 15 s', async () => {
    await leaveLock(1, JSON.stringify({ pid: 1, startedAt: '5', place: 'elsewhere' }));
    await age(1, STALE_SECONDS + 1);
    const lock = await DataDirectory.lock(directory);
    await lock.release();
  });

  it('waits for a sign of life from another host, and refuses when there is one', async () => {
    await leaveLock(1, JSON.stringify({ pid: 1, startedAt: '5', place: 'elsewhere boot' }));
    await age(1, 10);
    const touching = setTimeout(() => void age(1, 0), 600);
    await expect(DataDirectory.lock(directory)).rejects.toThrow('process 1 on elsewhere;');
    clearTimeout(touching);
  });

  it('outlives a file that a crash cut short', async () => {
    await leaveLock(1, '{"pid":');
    await age(1, STALE_SECONDS - 1);
    const lock = await DataDirectory.lock(directory);
    await lock.release();
  });

  it('tells the holder when it was taken over', async () => {
    const lost = new Promise<Error>((resolve) => {
      void DataDirectory.lock(directory, resolve).then(() => rm(join(directory, 'parley.lock.1')));
    });
    expect((await lost).message).toContain('was lost');
  });
});
