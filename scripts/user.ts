/**
 * Creates a user from the command line, on the database of the configuration:
 * `npm run user -- create [--admin] --username NAME --password PASSWORD`.
 */
import { parseArgs } from 'node:util';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Administrator } from '../src/auth/administrator.js';
import { AuthModule } from '../src/auth/auth.module.js';
import { type Config, ConfigError, loadConfig } from '../src/platform/config/config.js';
import { ConfigModule } from '../src/platform/config/config.module.js';
import { DatabaseUnavailable } from '../src/platform/database/connect.js';
import { DataDirectoryInUse } from '../src/platform/database/data-directory.js';
import { DatabaseModule } from '../src/platform/database/database.module.js';
import { AppError } from '../src/platform/errors/app-error.js';
import { EventsModule } from '../src/platform/events/events.module.js';
import { MetricsModule } from '../src/platform/metrics/metrics.module.js';
import { ThrottlingModule } from '../src/platform/throttling/throttling.module.js';

const USAGE = 'Usage: npm run user -- create [--admin] --username NAME --password PASSWORD';

/** The accounts without the server around them: no port, no sockets. */
@Module({})
class CommandModule {
  static with(config: Config) {
    return {
      module: CommandModule,
      imports: [
        ConfigModule.with(config),
        EventsModule,
        MetricsModule,
        DatabaseModule,
        ThrottlingModule,
        AuthModule,
      ],
    };
  }
}

/** Said to the operator in one sentence, without a stack. */
class UsageError extends Error {}

function readCommand() {
  const { values, positionals } = parse();
  const { admin, username, password } = values;
  if (positionals.join(' ') !== 'create' || username === undefined || password === undefined)
    throw new UsageError(USAGE);
  return { username, password, role: admin ? ('admin' as const) : ('user' as const) };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { admin: { type: 'boolean' }, username: { type: 'string' }, password: { type: 'string' } },
    });
  } catch (error) {
    throw new UsageError(USAGE, { cause: error });
  }
}

async function run(): Promise<void> {
  const command = readCommand();
  let context: INestApplicationContext | undefined;
  try {
    context = await NestFactory.createApplicationContext(CommandModule.with(loadConfig()), {
      logger: ['error', 'fatal', 'warn'],
      abortOnError: false,
    });
    const { username, role, id } = await context.get(Administrator).createUser(command);
    console.log(`${role === 'admin' ? 'Administrator' : 'User'} ${username} was created (${id})`);
  } finally {
    await context?.close();
  }
}

function sentence(error: unknown): string | undefined {
  if (error instanceof AppError && error.details)
    return error.details.map(({ path, problem }) => `The ${path} ${problem}`).join('\n');
  const known = [AppError, ConfigError, DatabaseUnavailable, DataDirectoryInUse, UsageError];
  return known.some((kind) => error instanceof kind) ? (error as Error).message : undefined;
}

try {
  await run();
} catch (error) {
  console.error(sentence(error) ?? error);
  process.exitCode = 1;
}
