import { resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApp } from './app.js';
import { Administrator } from './auth/administrator.service.js';
import { RedisUnavailable } from './platform/cluster/redis.js';
import { ConfigError, loadConfig, type Config } from './platform/config/config.js';
import { DatabaseUnavailable } from './platform/database/connect.js';
import { DataDirectoryInUse } from './platform/database/data-directory.js';
import { createLogger } from './platform/logging/logger.js';

/** A drain that has not ended by then is cut short: orchestrators kill after 30 s. */
const SHUTDOWN_MS = 25_000;

/** Starts the server, prints where it is, and ends it in order on a signal. */
async function main(): Promise<void> {
  const config = configOrExit();
  const logger = createLogger(config);
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'Unhandled rejection'));
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'Uncaught exception');
    process.exit(1);
  });
  try {
    const app = await createApp(config, logger);
    endOnSignal(app, logger);
    await app.listen(config.port, config.host);
    await printBanner(app, config);
  } catch (error) {
    exit(error, logger);
  }
}

function configOrExit(): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** What an operator can mend is one sentence; anything else is a defect, with its stack. */
function exit(error: unknown, logger: Logger): never {
  const isKnown =
    error instanceof DataDirectoryInUse ||
    error instanceof DatabaseUnavailable ||
    error instanceof RedisUnavailable ||
    (error instanceof Error && 'syscall' in error);
  if (!isKnown) logger.fatal({ err: error }, 'The start failed');
  process.stderr.write(
    `\nParley could not start: ${error instanceof Error ? error.message : 'see the log'}\n`,
  );
  process.exit(1);
}

function endOnSignal(app: NestExpressApplication, logger: Logger): void {
  let ending = false;
  const end = (signal: string) => {
    if (ending) process.exit(1);
    ending = true;
    logger.info({ signal }, 'Draining');
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    void app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'The drain failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** For people, on standard output, between the lines of the log. */
async function printBanner(app: NestExpressApplication, config: Config): Promise<void> {
  const address = app.getHttpServer().address() as { port: number };
  const url = config.publicUrl ?? `${config.http.tls ? 'https' : 'http'}://localhost:${String(address.port)}`;
  const embedded = config.database.kind === 'embedded';
  const setup = await app.get(Administrator, { strict: false }).setupLink();
  const lines = [
    `  Parley is running`,
    ``,
    `  URL        ${url}`,
    `  Documents  ${url}/docs`,
    `  Mode       ${embedded ? 'embedded database (one instance; set DATABASE_URL for Postgres)' : 'Postgres'}`,
    ...(embedded ? [`  Data       ${resolve(config.dataDir)}`] : []),
    ...(setup ? [``, `  Create the administrator, once:`, `  ${new URL(setup, url).href}`] : []),
  ];
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

await main();
