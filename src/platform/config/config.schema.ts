import proxyAddr from 'proxy-addr';
import { bool, makeValidator, str, url } from 'envalid';

/**
 * The environment, key by key: the only place that knows a name, a default, a unit or a bound.
 * `.env.example` and the table in the README are generated from it (`npm run docs:config`).
 */
interface Bounds {
  min: number;
  max: number;
}
const wholeNumber = ({ min, max }: Bounds) =>
  makeValidator<number>((input) => {
    const value = Number(input);
    if (input.trim() === '' || !Number.isInteger(value) || value < min || value > max)
      throw new Error(`must be a whole number from ${String(min)} to ${String(max)}`);
    return value;
  });
const oneOf = <const T extends string>(...choices: T[]) =>
  makeValidator<T>((input) => {
    const found = choices.find((choice) => choice === input);
    if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return found;
  });
const list = makeValidator<string[]>((input) =>
  input
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const origins = makeValidator<string[]>((input) =>
  list()
    ._parse(input)
    .map((origin) => {
      if (origin === '*') return origin;
      if (!URL.canParse(origin) || new URL(origin).origin !== origin)
        throw new Error('must be origins like https://chat.example.com, separated by commas, or *');
      return origin;
    }),
);
const postgresUrl = makeValidator<string>((input) => {
  if (!URL.canParse(input) || !['postgres:', 'postgresql:'].includes(new URL(input).protocol))
    throw new Error('must be a URL like postgres://user:password@host:5432/database');
  return input;
});
const redisUrl = makeValidator<string>((input) => {
  if (!URL.canParse(input) || !/^rediss?:\/\/[^/]/.test(input))
    throw new Error('must be a URL like redis://user:password@host:6379/0');
  return input;
});
const smtpUrl = makeValidator<string>((input) => {
  if (!URL.canParse(input) || !/^smtps?:\/\/[^/]/.test(input))
    throw new Error('must be a URL like smtps://user:password@host:465');
  return input;
});
const sender = makeValidator<string>((input) => {
  if (!/^[^\p{Cc}<>]*<[^\s<>@,]+@[^\s<>@,]+>$|^[^\s<>@,]+@[^\s<>@,]+$/u.test(input))
    throw new Error('must be like chat@example.com or Parley <chat@example.com>');
  return input;
});
const vapidSubject = makeValidator<string>((input) => {
  if (!/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/.test(input))
    throw new Error('must be a mailto: or https: address');
  return input;
});
const vapidKey = (bytes: number) =>
  makeValidator<string>((input) => {
    if (!/^[A-Za-z0-9_-]+$/.test(input) || Buffer.from(input, 'base64url').length !== bytes)
      throw new Error(`must be ${String(bytes)} bytes as base64url`);
    return input;
  });
const secret = makeValidator<string>((input) => {
  if (Buffer.byteLength(input) < 32) throw new Error('must have at least 32 bytes');
  return input;
});
const bcryptHash = makeValidator<string>((input) => {
  if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(input)) throw new Error('must be a bcrypt hash');
  return input;
});
const trustProxy = makeValidator<number | string>((input) => {
  if (/^\d+$/.test(input)) return Number(input);
  try {
    proxyAddr.compile(input.split(',').map((part) => part.trim()));
  } catch {
    throw new Error('must be a number of proxies, or their addresses separated by commas');
  }
  return input;
});

const count = (min: number, max: number) => wholeNumber({ min, max });

export const schema = {
  PORT: count(0, 65_535)({ default: 3000, desc: 'Port of REST, sockets and documents' }),
  HOST: str({ default: '0.0.0.0', desc: 'Address to listen on' }),
  DATABASE_URL: postgresUrl({
    default: undefined,
    desc: 'Postgres 15 or newer; absent: the embedded database in DATA_DIR',
  }),
  DATABASE_POOL_SIZE: count(2, 200)({ default: 10, desc: 'Connections to Postgres' }),
  REDIS_URL: redisUrl({
    default: undefined,
    desc: 'Redis 7 or newer, for several instances on one database; absent: this is the only one',
  }),
  REDIS_PREFIX: str({
    default: 'parley',
    desc: 'Begins the names of keys and channels: another for each installation',
  }),
  REDIS_OPTIONAL: bool({ default: false, desc: 'Start without Redis when it does not answer' }),
  DATA_DIR: str({ default: './data', desc: 'Directory of the embedded database and of generated secrets' }),
  JWT_SECRET: secret({
    default: undefined,
    desc: 'At least 32 bytes; needed with DATABASE_URL, else generated and kept in DATA_DIR',
  }),
  JWT_ISSUER: str({ default: 'parley', desc: 'Claim iss of access tokens' }),
  JWT_AUDIENCE: str({ default: 'parley', desc: 'Claim aud of access tokens' }),
  ACCESS_TOKEN_SECONDS: count(10, 86_400)({ default: 900, desc: 'Life of an access token, seconds' }),
  REFRESH_TOKEN_DAYS: count(1, 365)({ default: 30, desc: 'Life of a sign-in without use, days' }),
  AUTH_PROVISIONING: oneOf(
    'off',
    'jit',
  )({ default: 'off', desc: 'jit: an unknown sub of a valid token becomes a user' }),
  REGISTRATION: oneOf('open', 'off')({ default: 'open', desc: 'Who may register a local account' }),
  ROOM_CREATION: oneOf(
    'everybody',
    'admin',
  )({ default: 'everybody', desc: 'Who may create public, private and announcement rooms' }),
  ADMIN_USERNAME: str({
    default: undefined,
    desc: 'With ADMIN_PASSWORD: the administrator made at the first start',
  }),
  ADMIN_PASSWORD: str({ default: undefined, desc: 'See ADMIN_USERNAME' }),
  PUBLIC_URL: url({ default: undefined, desc: 'Address under which people reach the server, for links' }),
  CORS_ORIGINS: origins({
    default: [],
    desc: 'Origins of browsers that may call, beside the own one; * for all',
  }),
  TRUST_PROXY: trustProxy({
    default: 0,
    desc: 'Number of proxies in front, or their addresses, as Express takes it',
  }),
  TLS_CERT: str({ default: undefined, desc: 'Certificate file (PEM); else terminate TLS in front' }),
  TLS_KEY: str({ default: undefined, desc: 'Key file (PEM)' }),
  PING_INTERVAL_MS: count(1000, 300_000)({ default: 25_000, desc: 'Heartbeat of sockets, ms' }),
  PING_TIMEOUT_MS: count(
    1000,
    300_000,
  )({ default: 20_000, desc: 'Silence after a heartbeat that ends a socket, ms' }),
  SOCKETIO_ADMIN_USERNAME: str({ default: 'admin', desc: 'See SOCKETIO_ADMIN_PASSWORD' }),
  SOCKETIO_ADMIN_PASSWORD: bcryptHash({
    default: undefined,
    desc: "bcrypt hash of a password: opens Socket.IO's own admin UI, where its package is installed",
  }),
  LOG_LEVEL: oneOf(
    'fatal',
    'error',
    'warn',
    'info',
    'debug',
    'silent',
  )({ default: 'info', desc: 'Least level that is logged' }),
  LOG_FORMAT: oneOf(
    'auto',
    'json',
    'pretty',
  )({ default: 'auto', desc: 'auto: pretty on a terminal, else JSON lines' }),
  MAX_CONTENT_LENGTH: count(1, 50_000)({ default: 5000, desc: 'Code points of a message' }),
  MAX_FRAME_BYTES: count(
    16_384,
    10_485_760,
  )({ default: 65_536, desc: 'Bytes of one socket frame and of a REST body' }),
  MAX_CONNECTIONS_PER_USER: count(1, 10_000)({ default: 20, desc: 'The oldest is closed above it' }),
  SLOW_CONSUMER_BYTES: count(
    65_536,
    1_073_741_824,
  )({ default: 4_194_304, desc: 'Bytes that wait for one connection to read them, above which it is cut' }),
  SLOW_CONSUMER_FRAMES: count(
    100,
    10_000_000,
  )({ default: 10_000, desc: 'Frames that wait for one connection to read them, above which it is cut' }),
  SENDS_LIMIT: count(1, 1_000_000)({ default: 10, desc: 'Messages of a user in SENDS_WINDOW_MS' }),
  SENDS_WINDOW_MS: count(100, 3_600_000)({ default: 5000, desc: 'Sliding window of SENDS_LIMIT, ms' }),
  COMMANDS_LIMIT: count(
    10,
    10_000_000,
  )({ default: 600, desc: 'Commands of a connection, or requests of a user, in a minute' }),
  ROOMS_LIMIT: count(
    1,
    1_000_000,
  )({ default: 60, desc: 'Rooms made and people invited by a user in a minute' }),
  REPORTS_LIMIT: count(1, 1_000_000)({ default: 10, desc: 'Messages reported by a user in a minute' }),
  LOGINS_LIMIT: count(
    1,
    1_000_000,
  )({ default: 10, desc: 'Sign-ins in a minute, per account and per address' }),
  HANDSHAKES_LIMIT: count(
    1,
    10_000,
  )({
    default: 50,
    desc: 'Handshakes at once; ten times as many wait, the others are told when to come again',
  }),
  FAILED_HANDSHAKES_LIMIT: count(
    1,
    1_000_000,
  )({ default: 30, desc: 'Refused handshakes in a minute, per address' }),
  TYPING_INTERVAL_MS: count(
    0,
    60_000,
  )({ default: 2000, desc: 'Least time between two typing:start of a user in a room, ms' }),
  PRESENCE_AWAY_MS: count(
    100,
    86_400_000,
  )({ default: 300_000, desc: 'A device without activity for this long is away, ms' }),
  PRESENCE_OFFLINE_MS: count(
    10,
    600_000,
  )({ default: 10_000, desc: 'From the end of the last connection of a user until they are offline, ms' }),
  NOTIFY_ROOM_LIMIT: count(
    1,
    100_000,
  )({ default: 1000, desc: 'Members of a room that one @room notifies, those first who read it last' }),
  NOTIFY_DIGEST_MS: count(
    0,
    3_600_000,
  )({ default: 60_000, desc: 'Notifications of one room and kind so soon after each other become one, ms' }),
  NOTIFICATION_DAYS: count(
    0,
    36_500,
  )({
    default: 90,
    desc: 'Notifications, announcements and decisions on messages are kept this long, days; 0: for ever',
  }),
  WRITE_QUEUE_LIMIT: count(
    10,
    1_000_000,
  )({ default: 10_000, desc: 'Messages waiting to be written before UNAVAILABLE' }),
  PUSH_DELAY_SECONDS: count(
    0,
    3600,
  )({ default: 5, desc: 'A push leaves this much later, unless it was read meanwhile, seconds' }),
  PUSH_PRIVATE_ENDPOINTS: bool({
    default: false,
    desc: 'true: push endpoints may be plain HTTP and in private networks',
  }),
  VAPID_PUBLIC_KEY: vapidKey(65)({
    default: undefined,
    desc: 'Key browsers subscribe with; absent: generated and kept in the database',
  }),
  VAPID_PRIVATE_KEY: vapidKey(32)({ default: undefined, desc: 'Needed with VAPID_PUBLIC_KEY' }),
  VAPID_SUBJECT: vapidSubject({
    default: undefined,
    desc: 'Contact for push services, mailto: or https:; absent: postmaster at the host of PUBLIC_URL',
  }),
  SMTP_URL: smtpUrl({
    default: undefined,
    desc: 'Mail server, smtp:// or smtps://, with user and password; absent: no e-mail',
  }),
  EMAIL_FROM: sender({ default: undefined, desc: 'Sender of e-mail; needed with SMTP_URL' }),
  EMAIL_DIGEST_MINUTES: count(
    0,
    10_080,
  )({
    default: 15,
    desc: 'What stays unseen this long is told by e-mail, at most once in this time, minutes',
  }),
  DELIVERY_RETRY_SECONDS: count(
    0,
    3600,
  )({
    default: 30,
    desc: 'First retry of a push or an e-mail; the next ones wait twice as long each, seconds',
  }),
};
