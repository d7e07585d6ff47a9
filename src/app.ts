import { readFileSync } from 'node:fs';
import { RequestMethod } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './platform/config/config.js';
import { setUpDocs } from './platform/docs/docs.js';
import { HttpExceptionFilter } from './platform/errors/http-exception.filter.js';
import { unknownRoutes } from './platform/errors/unknown-routes.js';
import { createLogger } from './platform/logging/logger.js';
import { NestLogger } from './platform/logging/nest-logger.js';
import { requestLogger } from './platform/logging/request-logger.js';
import { requestsInFlight, WorkInFlight } from './platform/health/work-in-flight.js';
import { countRequests } from './platform/metrics/count-requests.js';
import { Metrics } from './platform/metrics/metrics.js';
import { RealtimeAdapter } from './platform/realtime/realtime.adapter.js';
import { ThrottleInterceptor } from './platform/throttling/throttle.interceptor.js';
import { PayloadPipe } from './platform/validation/payload.pipe.js';
import { onlyReadMedia } from './platform/validation/read-media.js';

/** The routes outside `/api/v1`. */
const WITHOUT_PREFIX = [
  '/',
  'health',
  'health/live',
  'health/ready',
  'metrics',
  'setup',
  'docs/errors',
  'email/confirm',
  'email/unsubscribe',
].flatMap((path) => [
  { path, method: RequestMethod.GET },
  { path, method: RequestMethod.POST },
]);

/**
 * Longer than a load balancer keeps an idle connection (60 s, as a rule): whoever closes it first, the other may be sending
 * on it just then. Node's 5 s would reset such a request.
 */
const KEEP_ALIVE_MS = 65_000;

/** The one assembly of the server, for `main.ts` and every test. Initialised, not yet listening. */
export async function createApp(
  config: Config,
  logger: Logger = createLogger(config),
): Promise<NestExpressApplication> {
  const { tls, trustProxy, corsOrigins } = config.http;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
    forceCloseConnections: true,
    ...(tls && { httpsOptions: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }),
  });
  try {
    app.set('trust proxy', trustProxy);
    app.use(requestLogger(logger));
    app.use(requestsInFlight(app.get(WorkInFlight)));
    app.use(countRequests(app.get(Metrics)));
    // A browser told to upgrade, or to remember HTTPS, could not reach a server without TLS again.
    app.use(
      helmet({
        ...(!tls && {
          hsts: false,
          contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
        }),
      }),
    );
    app.enableCors({
      origin: corsOrigins.includes('*') ? true : [...corsOrigins],
      exposedHeaders: [
        'Retry-After',
        'X-Request-Id',
        'RateLimit-Limit',
        'RateLimit-Remaining',
        'RateLimit-Reset',
      ],
      maxAge: 600,
    });
    app.useBodyParser('json', { limit: config.limits.frameBytes });
    app.useBodyParser('urlencoded', { limit: 4096, extended: false });
    app.use(onlyReadMedia);
    app.setGlobalPrefix('api/v1', { exclude: WITHOUT_PREFIX });
    const filter = new HttpExceptionFilter();
    app.useGlobalFilters(filter);
    app.useGlobalPipes(new PayloadPipe());
    app.useGlobalInterceptors(app.get(ThrottleInterceptor));
    app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
    app.useWebSocketAdapter(new RealtimeAdapter(app));
    setUpDocs(app);
    await app.init();
    app.use(unknownRoutes(filter));
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}
