import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js';

const TOUCH_MS = 2000;
/** A holder whose process we cannot look at (another host or container) is gone when it was silent for so long. */
const STALE_MS = 15_000;
const LOOK_AGAIN_MS = 250;
const LOCK_FILE = /^parley\.lock\.(\d+)$/;

/** Another process works in the directory: two would corrupt the database. */
export class DataDirectoryInUse extends Error {
  constructor(
    readonly directory: string,
    readonly holder: ProcessIdentity,
  ) {
    super(
      `The data directory ${directory} is in use by process ${String(holder.pid)} on ${holder.place.split(' ')[0] ?? 'another host'}; stop it first`,
    );
    this.name = 'DataDirectoryInUse';
  }
}

interface FoundLock {
  number: number;
  file: string;
  touchedAt: number;
  /** Undefined while it is being written, or when it was cut short by a crash. */
  content: (ProcessIdentity & { released?: boolean }) | undefined;
}

interface FirstLook {
  lock: FoundLock;
  at: number;
}

/**
 * The exclusive lock on a data directory. Lock files are numbered and the highest number holds: a starter that finds the
 * holder gone creates the next number (O_EXCL, so one of several wins) and looks again whether its own is the highest.
 * A release is written into the file instead of deleting it, so no number is ever used twice, and a starter that was
 * delayed between looking and creating cannot win with an old one. Killed at any point, a process leaves a stale file.
 */
export class DataDirectory {
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    private readonly file: string,
    private readonly identity: ProcessIdentity,
    private readonly lost: (error: Error) => void,
  ) {
    this.heartbeat = setInterval(() => void this.touch(), TOUCH_MS).unref();
  }

  /**
   * Creates the directory where needed. Throws `DataDirectoryInUse`, at once when the holder is seen to run, and waits up
   * to 15 s for a sign of life of a holder elsewhere (a container that was killed and started anew).
   * `lost` is called when the lock was taken over, which happens to a process that was stopped for longer than that.
   */
  static async lock(
    directory: string,
    lost: (error: Error) => void = () => undefined,
  ): Promise<DataDirectory> {
    const path = resolve(directory);
    await mkdir(path, { recursive: true, mode: 0o700 });
    const identity = ownIdentity();
    for (let first: FirstLook | undefined; ;) {
      const newest = (await findLocks(path))[0];
      if (newest && first?.lock.number !== newest.number) first = { lock: newest, at: performance.now() };
      const state = newest && first ? judge(newest, first, identity) : 'free';
      if (state === 'unsure') {
        await sleep(LOOK_AGAIN_MS);
        continue;
      }
      if (state !== 'free') throw new DataDirectoryInUse(path, state.heldBy);
      const file = await create(path, (newest?.number ?? 0) + 1, identity);
      if (file) return new DataDirectory(path, file, identity, lost);
    }
  }

  async release(): Promise<void> {
    clearInterval(this.heartbeat);
    // `r+`: a file that was taken over and deleted must not come back.
    await writeFile(this.file, JSON.stringify({ ...this.identity, released: true }), { flag: 'r+' }).catch(
      ignoreMissing,
    );
  }

  private async touch(): Promise<void> {
    const now = new Date();
    try {
      await utimes(this.file, now, now);
    } catch (error) {
      // Anything else may pass; if it does not, somebody takes over, and the file is gone.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
      clearInterval(this.heartbeat);
      this.lost(new Error(`The lock on ${this.path} was lost`, { cause: error }));
    }
  }
}

function judge(
  lock: FoundLock,
  first: FirstLook,
  own: ProcessIdentity,
): 'free' | 'unsure' | { heldBy: ProcessIdentity } {
  const { content: holder, touchedAt } = lock;
  if (holder?.released) return 'free';
  if (holder?.place === own.place) return isRunning(holder) ? { heldBy: holder } : 'free';
  if (holder && touchedAt !== first.lock.touchedAt) return { heldBy: holder };
  // By either clock: that of the file system may be ahead of ours.
  const silentFor = Math.max(Date.now() - touchedAt, performance.now() - first.at);
  return silentFor > STALE_MS ? 'free' : 'unsure';
}

/** The file of the lock when it was won. */
async function create(path: string, number: number, identity: ProcessIdentity): Promise<string | undefined> {
  const file = lockFile(path, number);
  try {
    await writeFile(file, JSON.stringify(identity), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  const [newest, ...older] = await findLocks(path);
  if (newest?.number !== number) {
    await rm(file, { force: true });
    return undefined;
  }
  for (const lock of older) await rm(lock.file, { force: true });
  return file;
}

const lockFile = (path: string, number: number): string => join(path, `parley.lock.${String(number)}`);

/** Newest first. */
async function findLocks(path: string): Promise<FoundLock[]> {
  const numbers = (await readdir(path)).flatMap((name) => Number(LOCK_FILE.exec(name)?.[1] ?? []));
  const locks = await Promise.all(
    numbers.sort((a, b) => b - a).map((number) => readLock(lockFile(path, number), number)),
  );
  return locks.filter((lock) => lock !== undefined);
}

async function readLock(file: string, number: number): Promise<FoundLock | undefined> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(file), readFile(file, 'utf8')]);
    return { number, file, touchedAt: mtimeMs, content: parse(text) };
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

function parse(text: string): FoundLock['content'] {
  try {
    return JSON.parse(text) as FoundLock['content'];
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
