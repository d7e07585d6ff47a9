/**
 * The benchmark: `npm run bench`, or one scenario with `npm run bench -- hot-room --runs 3`. Every figure is a ratio to
 * a peer that ran in turn with the product, on the same machine and the same Postgres.
 */
import { parseArgs } from 'node:util';
import { Postgres } from './database/postgres.js';
import { Generator } from './generator/generator.js';
import { LoadedServer } from './loaded-server.js';
import { thisMachine } from './machine.js';
import { Pair } from './pair.js';
import { report, save, type Results } from './results.js';
import type { Row } from './row.js';
import type { Bench, Scenario, Settings, Sizes } from './scenario.js';
import { SCENARIOS } from './scenarios/all.js';

const HELP = `npm run bench -- [scenario ...] [options]

${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}

  --runs N              runs of each server (5)
  --seconds S           measured time of a run (5)
  --fsync-delay-ms N    a throw-away Postgres whose fsync takes that much longer
  --receivers N,N,...   sizes for hot-room, broadcast and growth
  --rooms N,N,...       sizes for many-rooms and growth
  --connections N,N,... sizes for idle
  --messages N,N        the two sizes of the room of reads
  --save                writes bench/results/

BENCH_DATABASE_URL is the Postgres to make databases in; without it the one of this machine, else a throw-away one.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    'fsync-delay-ms': { type: 'string', default: '0' },
    rooms: { type: 'string' },
    receivers: { type: 'string' },
    connections: { type: 'string' },
    messages: { type: 'string' },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main(chosen(), settingsGiven());

async function main(scenarios: readonly Scenario[], settings: Settings): Promise<void> {
  const machine = thisMachine();
  const postgres = await Postgres.open(settings.fsyncDelayMs);
  const generator = new Generator();
  // What is under way fails, and everything is cleared away on the way out.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => generator.end());
  const results: Results = { machine, settings, database: postgres.facts, rows: [], failures: [] };
  const bench = benchOn(postgres, generator, settings, results.rows);
  try {
    for (const scenario of scenarios) {
      console.log(`\n${scenario.name}: ${scenario.about}`);
      await scenario.run(bench).catch((error: unknown) => {
        const failure = `${scenario.name}: ${error instanceof Error ? error.message : String(error)}`;
        console.error(`\nFAILED: ${failure}`);
        results.failures.push(failure);
        process.exitCode = 1;
      });
      if (generator.hasEnded) break;
    }
    // Of an interrupted benchmark nothing is kept.
    if (values.save && !generator.hasEnded)
      console.log(`Saved in ${await save(results, nameOf(scenarios, settings))}`);
  } finally {
    console.log(`\n${report(results)}`);
    generator.end();
    await postgres.close();
  }
}

function benchOn(postgres: Postgres, generator: Generator, settings: Settings, rows: Row[]): Bench {
  const bed = { postgres, generator, seconds: settings.seconds };
  return {
    settings,
    sizes: sizesGiven(),
    async withPair(spec, work) {
      const pair = await Pair.open(bed, settings.runs, spec);
      try {
        await work(pair);
      } finally {
        await pair.close();
      }
    },
    async withServer(spec, work) {
      const server = await LoadedServer.start(bed, 'alone', spec);
      try {
        return await work(server);
      } finally {
        await server.close();
      }
    },
    add: (row) => rows.push(row),
  };
}

function chosen(): readonly Scenario[] {
  const unknown = positionals.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}\n\n${HELP}`);
  return positionals.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => positionals.includes(name));
}

function settingsGiven(): Settings {
  return {
    runs: positive('runs', values.runs),
    seconds: positive('seconds', values.seconds),
    fsyncDelayMs: Number(values['fsync-delay-ms']),
  };
}

function sizesGiven(): Sizes {
  const sizes = (name: keyof Sizes) => values[name]?.split(',').map((text) => positive(name, text));
  return {
    rooms: sizes('rooms'),
    receivers: sizes('receivers'),
    connections: sizes('connections'),
    messages: sizes('messages'),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
  return value;
}

/** `all`, or the scenarios; another speed of the disk beside it. */
function nameOf(scenarios: readonly Scenario[], { fsyncDelayMs }: Settings): string {
  const names = scenarios.length === SCENARIOS.length ? 'all' : scenarios.map(({ name }) => name).join('+');
  return fsyncDelayMs > 0 ? `${names}-fsync-${fsyncDelayMs}ms` : names;
}
