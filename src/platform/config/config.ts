import { existsSync } from 'node:fs';
import { cleanEnv } from 'envalid';
import { schema } from './config.schema.js';

export interface ConfigProblem {
  key: string;
  problem: string;
}

/** Every problem of the environment at once; values are not shown, they may be secrets. */
export class ConfigError extends Error {
  constructor(readonly problems: ConfigProblem[]) {
    super(
      `The configuration is not valid:\n${problems.map(({ key, problem }) => `  ${key}: ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

type Environment = Record<string, string | undefined>;

/** With the `.env` of the working directory; what is set already wins. */
function processEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile();
  return process.env;
}

/** Reads and checks the environment once, then freezes what came out. Nothing else reads `process.env`. */
export function loadConfig(environment: Environment = processEnvironment()) {
  const problems: ConfigProblem[] = [];
  // An empty value is the shape of "not set" in .env files and compose files.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const env = cleanEnv(given, schema, {
    reporter: ({ errors }) => {
      for (const [key, error] of Object.entries(errors)) problems.push({ key, problem: error.message });
    },
  });
  // What is asked for together is read from the input: envalid throws when a key that failed is read.
  const failed = new Set(problems.map(({ key }) => key));
  const together = (key: string, ok: boolean, problem: string) => {
    if (!ok && !failed.has(key)) problems.push({ key, problem });
  };
  together(
    'JWT_SECRET',
    !given['DATABASE_URL'] || !!given['JWT_SECRET'],
    'is needed with DATABASE_URL, at least 32 bytes',
  );
  together(
    'ADMIN_PASSWORD',
    !given['ADMIN_USERNAME'] || !!given['ADMIN_PASSWORD'],
    'is needed with ADMIN_USERNAME',
  );
  together(
    'ADMIN_USERNAME',
    !given['ADMIN_PASSWORD'] || !!given['ADMIN_USERNAME'],
    'is needed with ADMIN_PASSWORD',
  );
  together('TLS_KEY', !given['TLS_CERT'] || !!given['TLS_KEY'], 'is needed with TLS_CERT');
  together('TLS_CERT', !given['TLS_KEY'] || !!given['TLS_CERT'], 'is needed with TLS_KEY');
  together('DATABASE_URL', !given['REDIS_URL'] || !!given['DATABASE_URL'], 'is needed with REDIS_URL');
  for (const [key, other] of [
    ['VAPID_PRIVATE_KEY', 'VAPID_PUBLIC_KEY'],
    ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY'],
    ['EMAIL_FROM', 'SMTP_URL'],
    // Mails carry links.
    ['PUBLIC_URL', 'SMTP_URL'],
  ] as const)
    together(key, !given[other] || !!given[key], `is needed with ${other}`);
  if (problems.length > 0) throw new ConfigError(problems);

  const minute = 60_000;
  return deepFreeze({
    port: env.PORT,
    host: env.HOST,
    publicUrl: env.PUBLIC_URL,
    database: env.DATABASE_URL
      ? { kind: 'postgres' as const, url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE }
      : { kind: 'embedded' as const },
    redis: env.REDIS_URL
      ? { url: env.REDIS_URL, prefix: env.REDIS_PREFIX, optional: env.REDIS_OPTIONAL }
      : undefined,
    dataDir: env.DATA_DIR,
    auth: {
      /** Absent in embedded mode: generated and kept in `dataDir` by `loadSecrets`. */
      jwtSecret: env.JWT_SECRET,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      accessTokenSeconds: env.ACCESS_TOKEN_SECONDS,
      refreshTokenDays: env.REFRESH_TOKEN_DAYS,
      provisioning: env.AUTH_PROVISIONING,
      registration: env.REGISTRATION,
      admin:
        env.ADMIN_USERNAME && env.ADMIN_PASSWORD
          ? { username: env.ADMIN_USERNAME, password: env.ADMIN_PASSWORD }
          : undefined,
    },
    rooms: { creation: env.ROOM_CREATION },
    notifications: {
      roomLimit: env.NOTIFY_ROOM_LIMIT,
      digestMs: env.NOTIFY_DIGEST_MS,
      days: env.NOTIFICATION_DAYS,
    },
    http: {
      corsOrigins: env.CORS_ORIGINS,
      trustProxy: env.TRUST_PROXY,
      tls: env.TLS_CERT && env.TLS_KEY ? { cert: env.TLS_CERT, key: env.TLS_KEY } : undefined,
    },
    realtime: {
      pingIntervalMs: env.PING_INTERVAL_MS,
      pingTimeoutMs: env.PING_TIMEOUT_MS,
      adminUi: env.SOCKETIO_ADMIN_PASSWORD
        ? { username: env.SOCKETIO_ADMIN_USERNAME, passwordHash: env.SOCKETIO_ADMIN_PASSWORD }
        : undefined,
    },
    presence: { awayMs: env.PRESENCE_AWAY_MS, offlineMs: env.PRESENCE_OFFLINE_MS },
    delivery: {
      retrySeconds: env.DELIVERY_RETRY_SECONDS,
      push: {
        delaySeconds: env.PUSH_DELAY_SECONDS,
        privateEndpoints: env.PUSH_PRIVATE_ENDPOINTS,
        subject: env.VAPID_SUBJECT ?? `mailto:postmaster@${hostOf(env.PUBLIC_URL)}`,
        /** Absent: generated and kept in the database. */
        keys:
          env.VAPID_PUBLIC_KEY && env.VAPID_PRIVATE_KEY
            ? { publicKey: env.VAPID_PUBLIC_KEY, privateKey: env.VAPID_PRIVATE_KEY }
            : undefined,
      },
      email:
        env.SMTP_URL && env.EMAIL_FROM && env.PUBLIC_URL
          ? {
              smtpUrl: env.SMTP_URL,
              from: env.EMAIL_FROM,
              /** Without a slash at its end. */
              links: env.PUBLIC_URL.replace(/\/+$/, ''),
            }
          : undefined,
      digestSeconds: env.EMAIL_DIGEST_MINUTES * 60,
    },
    log: { level: env.LOG_LEVEL, format: env.LOG_FORMAT },
    limits: {
      contentLength: env.MAX_CONTENT_LENGTH,
      frameBytes: env.MAX_FRAME_BYTES,
      connectionsPerUser: env.MAX_CONNECTIONS_PER_USER,
      slowConsumer: { bytes: env.SLOW_CONSUMER_BYTES, frames: env.SLOW_CONSUMER_FRAMES },
      sends: { limit: env.SENDS_LIMIT, windowMs: env.SENDS_WINDOW_MS },
      commands: { limit: env.COMMANDS_LIMIT, windowMs: minute },
      rooms: { limit: env.ROOMS_LIMIT, windowMs: minute },
      reports: { limit: env.REPORTS_LIMIT, windowMs: minute },
      logins: { limit: env.LOGINS_LIMIT, windowMs: minute },
      handshakes: env.HANDSHAKES_LIMIT,
      failedHandshakes: { limit: env.FAILED_HANDSHAKES_LIMIT, windowMs: minute },
      typingIntervalMs: env.TYPING_INTERVAL_MS,
      writeQueue: env.WRITE_QUEUE_LIMIT,
    },
  });
}

/** Some host: push services ask for a contact, not for one that answers. */
function hostOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? 'parley.invalid' : new URL(publicUrl).hostname;
}

export type Config = ReturnType<typeof loadConfig>;

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

function deepFreeze<T extends object>(value: T): DeepReadonly<T> {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value) as DeepReadonly<T>;
}
