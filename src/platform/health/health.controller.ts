import { Controller, Get, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheckService, TypeOrmHealthIndicator } from '@nestjs/terminus';
import { REDIS, type RedisClients } from '../cluster/redis.js';
import { AppError } from '../errors/app-error.js';
import { Public } from '../identity/current-actor.decorator.js';
import { ConnectionCount } from './connection-count.js';
import { Readiness } from './readiness.js';
import { readVersion } from './version.js';

const DATABASE_TIMEOUT_MS = 2000;
/** About the time a balancer waits between two questions. */
const RETRY_AFTER_MS = 5000;

/** Health for people (`/health`) and for machines: alive, and ready for new work. Open to everybody, tells no secrets. */
@ApiExcludeController()
@Public()
@Controller('health')
export class HealthController {
  private readonly version = readVersion();

  constructor(
    private readonly checks: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly readiness: Readiness,
    private readonly connections: ConnectionCount,
    @Inject(REDIS) private readonly redis: Pick<RedisClients, 'isUp'> | null,
  ) {}

  /** `degraded`: without Redis the nodes go on, and hear of each other late. It is no reason to take one out of service. */
  @Get()
  summary() {
    const degraded = this.redis !== null && !this.redis.isUp;
    return {
      status: degraded ? 'degraded' : 'ok',
      ...(this.redis && { redis: degraded ? 'down' : 'up' }),
      version: this.version,
      uptimeSeconds: Math.floor(process.uptime()),
      connections: this.connections.count(),
    };
  }

  /** Asks nothing: a slow database must not get the process killed. */
  @Get('live')
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready() {
    if (this.readiness.draining)
      throw new AppError('UNAVAILABLE', 'The server is shutting down', { retryAfterMs: RETRY_AFTER_MS });
    await this.checks.check([() => this.database.pingCheck('database', { timeout: DATABASE_TIMEOUT_MS })]);
    return { status: 'ok' };
  }
}
