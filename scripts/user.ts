/**
 * Creates a user from the command line, on the database of the configuration:
 * `npm run user -- create [--admin] --username NAME --password PASSWORD`.
 */
import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../src/app.module.js';
import { Administrator } from '../src/auth/administrator.service.js';
import { ConfigError, loadConfig } from '../src/platform/config/config.js';
import { DatabaseUnavailable } from '../src/platform/database/connect.js';
import { DataDirectoryInUse } from '../src/platform/database/data-directory.js';
import { AppError } from '../src/platform/errors/app-error.js';

const USAGE = 'Usage: npm run user -- create [--admin] --username NAME --password PASSWORD';

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
    // The whole application, but only its context: no port, no sockets.
    context = await NestFactory.createApplicationContext(AppModule.with(loadConfig()), {
      // Errors are said below, once.
      logger: false,
      abortOnError: false,
    });
    const { username, role, id } = await context.get(Administrator, { strict: false }).createUser(command);
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
