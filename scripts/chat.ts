/**
 * A chat in the terminal, on the client SDK:
 * `npm run chat -- --as USERNAME [--room general] [--url http://localhost:3000] [--password PASSWORD]`.
 */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import {
  createClient,
  ParleyError,
  register,
  signIn,
  type Account,
  type Member,
  type Message,
  type Notification,
  type OwnPresence,
  type ParleyClient,
  type PresenceStatus,
  type PresenceWatch,
  type RoomEvents,
  type RoomHandle,
  type SignIn,
} from '../client/src/index.js';

const USAGE =
  'Usage: npm run chat -- --as USERNAME [--room general] [--url http://localhost:3000] [--password PASSWORD]';
const HELP = `  /who                 who is in the room, and what they are up to
  /reply #N TEXT       answers message N
  /edit [#N] TEXT      changes message N, or your last one
  /react [#N] EMOJI    on message N, or the last one
  /inbox               what is unread elsewhere, and marks it as read
  /status STATUS TEXT  online, away, busy or invisible, with or without a text
  /quit                leaves the terminal, not the room`;
/** Of the people `npm run seed` makes. */
const DEMO_PASSWORD = 'parley-demo';

/** Said to the person in one sentence, without a stack. */
class UsageError extends Error {}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        as: { type: 'string' },
        room: { type: 'string', default: 'general' },
        url: { type: 'string', default: 'http://localhost:3000' },
        password: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new UsageError(USAGE, { cause: error });
  }
  const { as: username, room, url, password } = values;
  if (username === undefined) throw new UsageError(USAGE);
  return { username, room, url, password };
}

/** Signs in; makes the account when there is none; asks for the password when the one of the demo is not it. */
async function enter({
  username,
  url,
  password = DEMO_PASSWORD,
}: Omit<Account, 'password'> & { password?: string }): Promise<SignIn> {
  try {
    return await signIn({ url, username, password });
  } catch (error) {
    if (!(error instanceof ParleyError) || error.code !== 'UNAUTHENTICATED') throw error;
  }
  try {
    return await register({ url, username, password });
  } catch (error) {
    if (!(error instanceof ParleyError) || error.code !== 'CONFLICT') throw error;
    if (!process.stdin.isTTY)
      throw new UsageError(`That is not the password of ${username}`, { cause: error });
  }
  return signIn({ url, username, password: await askPassword(username) });
}

function askPassword(username: string): Promise<string> {
  process.stdout.write(`Password of ${username}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve) => {
    prompt.question('', (answer) => {
      prompt.close();
      process.stdout.write('\n');
      resolve(answer);
    });
  });
}

/** Other people's text must not steer the terminal. */
// eslint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '');
const dim = (text: string): string => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[22m` : text);
const time = (iso: string): string =>
  new Date(iso).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function line(message: Message): string {
  const { seq, sender, content, replyTo, threadId, editedAt, deletedAt, reactions, createdAt } = message;
  const to = replyTo === undefined ? '' : dim(` (to #${replyTo.seq} ${plain(replyTo.excerpt).slice(0, 30)})`);
  const thread = threadId === undefined ? '' : dim(' (in a thread)');
  const body = deletedAt === undefined ? plain(content) : dim('deleted');
  const marks = [
    ...(editedAt === undefined ? [] : ['edited']),
    ...reactions.map(({ emoji, count }) => `${plain(emoji)} ${count}`),
  ];
  const tail = marks.length === 0 ? '' : dim(` [${marks.join(', ')}]`);
  return `${dim(`#${seq} ${time(createdAt)}`)} ${plain(sender.name)}${to}${thread}: ${body}${tail}`;
}

const MARKS: Record<PresenceStatus, string> = { online: '●', away: '◐', busy: '⊖', offline: '○' };
const STATUSES: readonly string[] = ['online', 'away', 'busy', 'invisible'] satisfies OwnPresence['status'][];
const isStatus = (word: string): word is OwnPresence['status'] => STATUSES.includes(word);

/** What is known of somebody's presence says more than the member list, which only says whether they are here. */
function memberLine({ userId, name, role, online }: Member, client: ParleyClient): string {
  const presence = client.presence.get(userId);
  const mark = MARKS[presence?.status ?? (online ? 'online' : 'offline')];
  const text = presence?.text === undefined ? '' : `: ${plain(presence.text)}`;
  return `  ${mark} ${plain(name)} ${dim(role)}${text}`;
}

function notificationLine({ kind, title, body, count }: Notification): string {
  const times = count > 1 ? dim(` (${count})`) : '';
  return `${dim(`[${kind}]`)} ${plain(title)}${times}: ${plain(body)}`;
}

/** The screen: what was said above, what is being typed below. */
class Terminal {
  private isClosed = false;
  private unread = 0;
  private typists: string[] = [];

  constructor(private readonly input: Interface) {}

  say(text: string): void {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
    process.stdout.write(`${text}\n`);
    if (process.stdout.isTTY && !this.isClosed) this.input.prompt(true);
  }

  typing(names: string[]): void {
    this.typists = names;
    this.prompt();
  }

  /** How many notifications wait. */
  waiting(unread: number): void {
    if (unread === this.unread) return;
    this.unread = unread;
    if (process.stdout.isTTY) this.prompt();
    else this.say(dim(`${unread} unread`));
  }

  private prompt(): void {
    if (this.isClosed || !process.stdout.isTTY) return;
    const words = [
      ...(this.unread === 0 ? [] : [`${this.unread} unread`]),
      ...(this.typists.length === 0 ? [] : [`${plain(this.typists.join(', '))} typing`]),
    ];
    this.input.setPrompt(words.length === 0 ? '> ' : `${dim(words.join(', '))} > `);
    this.input.prompt(true);
  }

  close(): void {
    this.isClosed = true;
    this.input.close();
  }
}

const LEFT: Record<RoomEvents['left']['reason'], string> = {
  left: 'You left the room',
  kicked: 'You were removed from the room',
  banned: 'You were banned from the room',
  unknown: 'You are not in the room any more',
};

function show(client: ParleyClient, room: RoomHandle, screen: Terminal): void {
  room.on('message', (message) => {
    screen.say(line(message));
    room.markRead().catch(() => undefined);
  });
  room.on('updated', (message) => {
    if (room.message(message.id) !== undefined) screen.say(line(message));
  });
  room.on('deleted', (message) => screen.say(line(message)));
  room.on('typing', (typists) => screen.typing(typists.map(({ username }) => username)));
  room.on('user-joined', ({ username }) => screen.say(dim(`${plain(username)} joined`)));
  room.on('user-left', ({ username }) => screen.say(dim(`${plain(username)} left`)));
  room.on('reset', () => {
    screen.say(dim('-- much was said meanwhile --'));
    room.messages.forEach((message) => screen.say(line(message)));
  });
  room.on('left', ({ reason }) => screen.say(dim(LEFT[reason])));
  client.on('state', ({ state, reason }) => {
    if (reason === undefined) screen.say(dim(`-- ${state} --`));
    else if (reason !== 'BY_CLIENT') screen.say(dim(`-- ${state}: ${reason} --`));
  });
}

/** Of the room on the screen nothing is said twice. */
function notify({ notifications }: ParleyClient, room: RoomHandle, screen: Terminal): void {
  const tell = (notification: Notification) => {
    if (notification.roomId !== room.id && notification.silent === undefined)
      screen.say(notificationLine(notification));
  };
  notifications.on('new', tell);
  notifications.on('updated', tell);
  notifications.on('announcement', ({ title, body, from }) =>
    screen.say(`${dim(`[announcement of ${plain(from.name)}]`)} ${plain(title)}: ${plain(body)}`),
  );
  notifications.on('counts', ({ unread }) => screen.waiting(unread));
}

/** The people of the last `/who`, who stay watched until the next. */
let watch: PresenceWatch | undefined;

async function who(client: ParleyClient, room: RoomHandle): Promise<string> {
  const { members } = await client.send('room:members', { roomId: room.id });
  const before = watch;
  watch = client.presence.watch(members.map(({ userId }) => userId));
  try {
    await watch.ready;
  } finally {
    before?.stop();
  }
  return members.map((member) => memberLine(member, client)).join('\n');
}

async function readInbox({ notifications }: ParleyClient): Promise<string> {
  const { notifications: unread } = await notifications.list({ filter: 'unread' });
  if (unread.length === 0) return dim('Nothing is unread');
  await notifications.seen();
  await notifications.read(unread.map(({ id }) => id));
  return unread.toReversed().map(notificationLine).join('\n');
}

async function setStatus({ presence }: ParleyClient, words: string): Promise<string> {
  const [status = '', ...text] = words.trim().split(/\s+/);
  if (!isStatus(status)) return HELP;
  const own = await presence.set(status, text.length === 0 ? {} : { text: text.join(' ') });
  return dim(`You are ${own.status}${own.text === undefined ? '' : `: ${plain(own.text)}`}`);
}

/** What a typed line does; the answer is said, if there is one. */
async function obey(text: string, client: ParleyClient, room: RoomHandle): Promise<string | undefined> {
  const [, name = '', seq, argument = ''] = /^\/(\w+)(?:\s+#(\d+))?\s*(.*)$/s.exec(text) ?? [];
  const chosen = room.messages.find((message) => message.seq === Number(seq));
  if (seq !== undefined && chosen === undefined) return `There is no #${seq} on the screen`;
  switch (name) {
    case '':
      if (text.trim() !== '') await room.send(text);
      return undefined;
    case 'who':
      return who(client, room);
    case 'inbox':
      return readInbox(client);
    case 'status':
      return setStatus(client, argument);
    case 'reply':
      if (chosen === undefined || argument === '') return HELP;
      await room.send(argument, { replyTo: chosen.id });
      return undefined;
    case 'edit': {
      const own =
        chosen ??
        room.messages.findLast(
          ({ sender, deletedAt }) => sender.id === client.userId && deletedAt === undefined,
        );
      if (own === undefined || argument === '') return HELP;
      await room.edit(own.id, argument);
      return undefined;
    }
    case 'react': {
      const target = chosen ?? room.messages.findLast(({ deletedAt }) => deletedAt === undefined);
      if (target === undefined || argument === '') return HELP;
      await room.react(target.id, argument.trim());
      return undefined;
    }
    default:
      return HELP;
  }
}

async function run(): Promise<void> {
  const { room: roomId, ...account } = readOptions();
  const { user, getToken } = await enter(account);
  const client = createClient({ url: account.url, getToken });
  await client.connect({ timeoutMs: 10_000 });
  const room = await client.join(roomId, { roomName: roomId });

  const input = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: process.stdin.isTTY,
    prompt: '> ',
  });
  const screen = new Terminal(input);
  screen.say(`${plain(room.view?.name ?? roomId)} — you are ${plain(user.name)}; /help says what you can do`);
  room.messages.forEach((message) => screen.say(line(message)));
  show(client, room, screen);
  notify(client, room, screen);
  process.stdin.on('keypress', () => room.typing(input.line !== '' && !input.line.startsWith('/')));

  const underWay = new Set<Promise<void>>();
  for await (const text of input) {
    if (text.trim() === '/quit') break;
    const deed = obey(text, client, room)
      .then((answer) => (answer === undefined ? undefined : screen.say(answer)))
      .catch((error: unknown) =>
        screen.say(dim(`Not done: ${error instanceof Error ? error.message : String(error)}`)),
      );
    underWay.add(deed);
    if (process.stdin.isTTY) input.prompt();
  }
  await Promise.all(underWay);
  screen.close();
  client.close();
}

run().catch((error: unknown) => {
  const isKnown = error instanceof UsageError || error instanceof ParleyError;
  console.error(isKnown ? error.message : error);
  process.exit(1);
});
