import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ratioChart } from './chart.js';
import type { DatabaseFacts } from './database/postgres.js';
import type { Machine } from './machine.js';
import type { Row } from './row.js';
import type { Settings } from './scenario.js';
import { costTable, ratioTable } from './table.js';

/** Everything a benchmark found out. */
export interface Results {
  machine: Machine;
  settings: Settings;
  database: DatabaseFacts;
  rows: Row[];
  /** Scenarios that gave up, and why. */
  failures: string[];
}

export function report({ machine, settings, database, rows, failures }: Results): string {
  const facts = Object.entries(database.settings).map(([name, value]) => `${name} ${value}`);
  return [
    `Measured ${machine.date.slice(0, 10)} at commit ${machine.commit}: ${machine.cores} cores of ${machine.cpu}, ` +
      `${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}, load before ${machine.load.toFixed(1)}.`,
    `Postgres: ${facts.join(', ')}; a commit takes ${database.commitMs.toFixed(2)} ms` +
      `${settings.fsyncDelayMs > 0 ? ` with ${settings.fsyncDelayMs} ms added to each fsync` : ''}.`,
    `${settings.runs} runs of ${settings.seconds} s of each server, in turn, medians with ranges. ` +
      `All servers, Postgres and the generator share the machine.`,
    ...failures.map((failure) => `**Failed:** ${failure}`),
    ratioTable(rows),
    'CPU in microseconds, product / peer:',
    costTable(rows),
    '',
  ].join('\n\n');
}

/** Into `bench/results/` of the working directory: `name.json`, `name.md`, `name.svg`. */
export async function save(results: Results, name: string): Promise<string> {
  const directory = join(process.cwd(), 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const path = (kind: string) => join(directory, `${name}.${kind}`);
  await writeFile(path('json'), `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(path('md'), report(results));
  await writeFile(path('svg'), ratioChart(results.rows));
  return directory;
}
