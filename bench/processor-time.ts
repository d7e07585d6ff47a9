import { readdirSync, readFileSync } from 'node:fs';

/** Of `/proc/<pid>/stat`: ticks of 10 ms on every Linux of today. */
const TICK_MS = 10;

interface Stat {
  name: string;
  parent: number;
  /** CPU of all threads, user and system. */
  ms: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may have any character in it.
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    return {
      name: text.slice(text.indexOf('(') + 1, end),
      parent: Number(fields[1]),
      ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}

/** Milliseconds of CPU a process has used so far, with all its threads. */
export function processorTime(pid: number): number {
  return statOf(pid)?.ms ?? NaN;
}

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}

/** The postmaster above a backend, when the backend is a process of this machine. */
export function postmasterOf(backend: number): number | undefined {
  const stat = statOf(backend);
  return stat && /^(postgres|postmaster)$/.test(stat.name) ? stat.parent : undefined;
}

/** What works for all databases of a server. */
const HELPER = /^postgres: (\S+: )?(checkpointer|background writer|walwriter)/;

/**
 * The same for what Postgres does for one database, by pid: its backends, found by their titles, and the helpers. Others
 * who use the same Postgres are left out, but for what they make the helpers do.
 */
export function postgresTime(postmaster: number | undefined, database: string): Map<number, number> {
  const times = new Map<number, number>();
  if (postmaster === undefined) return times;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const stat = statOf(pid);
    if (stat?.parent !== postmaster) continue;
    const title = titleOf(pid);
    if (HELPER.test(title) || title.includes(` ${database} `)) times.set(pid, stat.ms);
  }
  return times;
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

export function spent(before: Map<number, number>, after: Map<number, number>): number {
  if (after.size === 0) return NaN;
  return [...after].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
}
