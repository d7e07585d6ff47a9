/**
 * `npm start` on a fresh clone just works: builds when `dist` is missing or older than its sources. Works offline.
 * `--stamp` notes the time of a build (`npm run build` does so): the compiler rewrites changed files only, so the
 * files of `dist` do not tell their age.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const STAMP = join(root, 'dist', '.built');
const MAIN = join(root, 'dist', 'src', 'main.js');
const SOURCES = [
  'src',
  'client/src',
  'scripts',
  'bench',
  'ormconfig.ts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
];

/** @param {string} path @returns {number} ms since the epoch, 0 when it does not exist */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return /\.spec\.tsx?$/.test(path) ? 0 : stat.mtimeMs;
  // The directory itself too: a deleted file changes nothing else.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function stamp() {
  writeFileSync(STAMP, '');
  utimesSync(STAMP, new Date(), new Date());
}

if (process.argv.includes('--stamp')) {
  stamp();
} else {
  const built = existsSync(MAIN) ? newest(STAMP) : 0;
  const changed = Math.max(...SOURCES.map((path) => newest(join(root, path))));
  if (built > 0 && built >= changed) {
    console.log('Build is up to date.');
  } else if (existsSync(MAIN) && !existsSync(join(root, 'node_modules', '@nestjs', 'cli'))) {
    // Installed with --omit=dev: what was built is all there is.
    console.log('Starting the existing build (the build tools are not installed).');
  } else {
    console.log(built > 0 ? 'Sources have changed: building.' : 'Not built yet: building.');
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
      cwd: root,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    process.exitCode = status ?? 1;
  }
}
