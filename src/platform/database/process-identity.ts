import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who holds a lock, precisely enough to tell a running process from another one that got its number. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot (field 22 of /proc/PID/stat); null where there is no /proc. */
  startedAt: string | null;
  /** Where `pid` means something: host name, and on Linux boot and pid namespace, so that two containers differ. */
  place: string;
}

export function ownIdentity(): ProcessIdentity {
  const place = [
    hostname(),
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return {
    pid: process.pid,
    startedAt: processState(process.pid)?.startedAt ?? null,
    place: place.filter(Boolean).join(' '),
  };
}

/** Only for a process of the own `place`. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = processState(pid);
  if (!now) return true;
  return !now.dead && (startedAt === null || startedAt === now.startedAt);
}

function processState(pid: number): { dead: boolean; startedAt: string | null } | undefined {
  const stat = attempt(() => readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The second field, the name of the program in parentheses, may contain spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { dead: fields[0] === 'Z' || fields[0] === 'X', startedAt: fields[19] ?? null };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
