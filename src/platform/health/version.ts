import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in our package.json, found upwards: sources and `dist` lie at different depths below it. */
export function readVersion(from = import.meta.dirname): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    if (manifest.name === 'parley' && manifest.version) return manifest.version;
  }
  return 'unknown';
}
