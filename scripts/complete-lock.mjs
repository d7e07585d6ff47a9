/**
 * Completes package-lock.json after `npm install` through a registry mirror that lacks packages of other
 * platforms: npm then leaves those optional entries out, and `npm ci` refuses the lock file.
 * Run it as `npm run lock:complete`; it changes nothing when nothing is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const SYSTEMS = [
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'android',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
];
const CPUS = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/**
 * @typedef {{ version?: string, dev?: boolean, license?: string, engines?: object, optional?: boolean,
 *   os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} Entry
 */
const lock = readLock();
const before = Object.keys(lock.packages).length;

for (const [path, entry] of Object.entries(lock.packages))
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {}))
    if (!isResolved(path, name)) lock.packages[`node_modules/${name}`] = platformEntry(name, range, entry);

const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${String(sorted.length - before)} entries added\n`);

/** @returns {{ packages: Record<string, Entry> }} */
function readLock() {
  /** @type {unknown} */
  const parsed = JSON.parse(readFileSync(FILE, 'utf8'));
  return /** @type {{ packages: Record<string, Entry> }} */ (parsed);
}

/**
 * As Node resolves: in the package's own node_modules, then in those above it.
 * @param {string} path
 * @param {string} name
 */
function isResolved(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

/**
 * Names of platform packages say what they are for: `@swc/core-linux-arm64-musl`.
 * @param {string} name
 * @param {string} range
 * @param {Entry} parent
 * @returns {Entry}
 */
function platformEntry(name, range, parent) {
  const words = name.replace(/^@[^/]+\//, '').split(/[-.]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.find((word) => CPUS.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : os === 'linux' && words.some((word) => word.startsWith('gnu')) && 'glibc';
  return {
    version: range.replace(/^[\^~]/, ''),
    ...(cpu && { cpu: [cpu] }),
    ...(libc && { libc: [libc] }),
    ...(parent.dev && { dev: true }),
    ...(parent.license && { license: parent.license }),
    optional: true,
    ...(os && { os: [os] }),
    ...(parent.engines && { engines: parent.engines }),
  };
}
