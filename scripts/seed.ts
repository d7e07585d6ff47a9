/**
 * A small lively world for trying things out:
 * `npm run seed -- [--url http://localhost:3000] [--admin USERNAME --password PASSWORD]`.
 * Everything goes through the public API, and running it again changes nothing: rooms have fixed ids,
 * messages fixed `clientMessageId`s, and the rest is idempotent. With the name of an administrator there is an
 * announcement too.
 */
import { parseArgs } from 'node:util';
import {
  createClient,
  ParleyError,
  register,
  signIn,
  type OwnPresence,
  type ParleyClient,
  type RoomHandle,
  type SignIn,
} from '../client/src/index.js';
import type { Report } from '../src/contract/moderation.js';
import type { Page } from '../src/contract/rest.js';

const PASSWORD = 'parley-demo';
const PEOPLE = {
  ada: 'Ada Moreau',
  grace: 'Grace Okafor',
  linus: 'Linus Berg',
  margaret: 'Margaret Ito',
  dennis: 'Dennis Novak',
  barbara: 'Barbara Silva',
} as const;
type OwnStatus = OwnPresence['status'];
/** Above every `seq` there is. */
const NEWEST = 2 ** 31 - 1;
type Person = keyof typeof PEOPLE;
const EVERYBODY = Object.keys(PEOPLE) as Person[];

interface Line {
  by: Person;
  text: string;
  /** Index of an earlier line of the room. */
  replyTo?: number;
  thread?: number;
  mentions?: Person[];
  reactions?: [emoji: string, ...by: Person[]][];
  pinnedBy?: Person;
  editedTo?: string;
  reported?: { by: Person; reason: string };
}
interface SeedRoom {
  /** Absent for direct rooms: they are found by their members. */
  id?: string;
  name?: string;
  topic?: string;
  type: 'public' | 'private' | 'direct' | 'announcement';
  owner: Person;
  others: Person[];
  lines: Line[];
}

const ROOMS: SeedRoom[] = [
  {
    id: 'general',
    name: 'General',
    topic: 'Anything that concerns everybody',
    type: 'public',
    owner: 'ada',
    others: ['grace', 'linus', 'margaret', 'dennis', 'barbara'],
    lines: [
      {
        by: 'ada',
        text: 'Welcome to Parley! This room is for everybody.',
        pinnedBy: 'ada',
        reactions: [['👋', 'grace', 'linus', 'barbara']],
      },
      { by: 'grace', text: 'Good morning! Is the reconnect test still running on staging?' },
      {
        by: 'linus',
        text: 'Yes, since last night. 40,000 messages, nothing lost, nothing doubled.',
        replyTo: 1,
        reactions: [
          ['🎉', 'ada', 'grace', 'margaret', 'dennis'],
          ['🚀', 'barbara'],
        ],
      },
      {
        by: 'margaret',
        text: 'I pulled the network cable twice. Sorry, I had to.',
        reactions: [['😄', 'linus', 'ada']],
      },
      {
        by: 'dennis',
        text: 'Lunch at 12:30? The place with the dumplings.',
        editedTo: 'Lunch at 12:45? The place with the dumplings.',
      },
      { by: 'barbara', text: 'I am in.', thread: 4 },
      { by: 'grace', text: 'Me too, keep me a seat.', thread: 4 },
      { by: 'dennis', text: 'Table for six it is.', thread: 4, reactions: [['🥟', 'barbara', 'grace']] },
      {
        by: 'ada',
        text: 'Linus, could you show the numbers in the review this afternoon?',
        mentions: ['linus'],
      },
      { by: 'linus', text: 'Of course.', replyTo: 8, reactions: [['👍', 'ada']] },
      {
        by: 'dennis',
        text: 'Anybody interested in a nearly new espresso machine? Half the price, write to me.',
        reported: { by: 'margaret', reason: 'General is not a market place' },
      },
    ],
  },
  {
    id: 'engineering',
    name: 'Engineering',
    topic: 'Code, incidents, and how we got there',
    type: 'public',
    owner: 'linus',
    others: ['ada', 'grace', 'margaret'],
    lines: [
      {
        by: 'linus',
        text: 'Deploys are on Tuesdays and Thursdays; the checklist is in the handbook.',
        pinnedBy: 'linus',
      },
      {
        by: 'grace',
        text: 'The p99 of sends went from 38 to 11 ms with group commit.',
        reactions: [['🔥', 'linus', 'margaret', 'ada']],
      },
      {
        by: 'margaret',
        text: 'What happens when one message of a batch is refused?',
        replyTo: 1,
        mentions: ['grace'],
      },
      { by: 'grace', text: 'Only that one is refused, the others are committed.', thread: 2 },
      { by: 'margaret', text: 'And the numbers stay without gaps?', thread: 2 },
      {
        by: 'grace',
        text: 'Yes: a number is taken under the lock, together with the row.',
        thread: 2,
        reactions: [['💡', 'margaret']],
      },
      {
        by: 'ada',
        text: 'Please write that down in guarantees.md.',
        replyTo: 2,
        reactions: [['✅', 'grace']],
      },
      {
        by: 'linus',
        text: '`npm run check` is green again.',
        editedTo: '`npm run check` is green again, and twice as fast.',
      },
    ],
  },
  {
    id: 'announcements',
    name: 'Announcements',
    topic: 'Read by all, written by few',
    type: 'announcement',
    owner: 'ada',
    others: ['grace', 'linus', 'margaret', 'dennis', 'barbara'],
    lines: [
      {
        by: 'ada',
        text: 'Version 0.1 is out. Thank you all.',
        pinnedBy: 'ada',
        reactions: [['🎉', 'grace', 'linus', 'margaret', 'dennis', 'barbara']],
      },
      {
        by: 'ada',
        text: 'Maintenance on Saturday from 06:00 to 06:30 UTC. Clients reconnect by themselves.',
      },
    ],
  },
  {
    id: 'launch-planning',
    name: 'Launch planning',
    type: 'private',
    owner: 'barbara',
    others: ['ada', 'grace', 'dennis'],
    lines: [
      {
        by: 'barbara',
        text: 'Draft of the launch post is ready. Comments until Friday, please.',
        mentions: ['ada', 'dennis'],
      },
      { by: 'dennis', text: 'The second paragraph promises too much.', replyTo: 0 },
      {
        by: 'ada',
        text: 'Agreed: say what is measured, and link to it.',
        replyTo: 1,
        reactions: [['💯', 'barbara', 'grace']],
      },
      { by: 'barbara', text: 'Changed.', reactions: [['🙏', 'dennis']] },
    ],
  },
  {
    type: 'direct',
    owner: 'ada',
    others: ['grace'],
    lines: [
      { by: 'ada', text: 'Do you have ten minutes before the review?' },
      { by: 'grace', text: 'At three, in the small room?', reactions: [['👍', 'ada']] },
    ],
  },
  {
    type: 'direct',
    owner: 'linus',
    others: ['margaret', 'dennis'],
    lines: [
      { by: 'margaret', text: 'Who has the key of the server room?' },
      { by: 'dennis', text: 'On the hook behind the coffee machine.', replyTo: 0 },
      { by: 'linus', text: 'Since when?', reactions: [['😅', 'margaret', 'dennis']] },
    ],
  },
];

const STATUSES: Partial<Record<Person, [status: OwnStatus, text: string]>> = {
  grace: ['busy', 'Reviewing until three'],
  dennis: ['away', 'Dumplings'],
  linus: ['online', 'Pulling cables'],
};
const ANNOUNCEMENT = {
  title: 'Welcome to this installation',
  body: 'Announcements come to everybody: at once to those who are here, and into the inbox of the others.',
  reason: 'seed',
};

/** Limits for everybody hold for the seed too: it waits. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'RATE_LIMITED') throw error;
      const waitMs = error.retryAfterMs ?? 1000;
      console.log(`  the server asks to wait ${Math.ceil(waitMs / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, waitMs + 50));
    }
  }
}

const isCode = (error: unknown, code: ParleyError['code']): boolean =>
  error instanceof ParleyError && error.code === code;

/** Sign-ins are limited, so what held for the first person is tried first for the others. */
async function enter(url: string, username: Person, isNewWorld: boolean): Promise<[SignIn, isNew: boolean]> {
  const account = { url, username, password: PASSWORD };
  if (!isNewWorld) {
    try {
      return [await patiently(() => signIn(account)), false];
    } catch (error) {
      if (!isCode(error, 'UNAUTHENTICATED')) throw error;
    }
  }
  try {
    return [await patiently(() => register({ ...account, name: PEOPLE[username] })), true];
  } catch (error) {
    if (!isNewWorld || !isCode(error, 'CONFLICT')) throw error;
    return [await patiently(() => signIn(account)), true];
  }
}

/** The people, signed in and connected. */
class Cast {
  private readonly clients = new Map<Person, ParleyClient>();
  private readonly signIns = new Map<Person, SignIn>();
  private url = '';

  async arrive(url: string): Promise<void> {
    this.url = url;
    let isNewWorld = false;
    for (const username of EVERYBODY) {
      const [entered, isNew] = await enter(url, username, isNewWorld);
      isNewWorld = isNew;
      this.signIns.set(username, entered);
      const client = createClient({ url, getToken: entered.getToken });
      await client.connect({ timeoutMs: 10_000 });
      this.clients.set(username, client);
    }
  }
  client(person: Person): ParleyClient {
    const client = this.clients.get(person);
    if (client === undefined) throw new Error(`${person} has not arrived`);
    return client;
  }
  id(person: Person): string {
    return this.client(person).userId ?? '';
  }
  /** What a socket has no command for. */
  async rest<T>(person: Person, method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const token = await this.signIns.get(person)?.getToken();
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
  leave(): void {
    for (const client of this.clients.values()) client.close();
  }
}

async function openRoom(cast: Cast, { id, name, topic, type, owner, others }: SeedRoom): Promise<string> {
  const client = cast.client(owner);
  const memberIds = type === 'private' || type === 'direct' ? others.map((person) => cast.id(person)) : [];
  let roomId = id;
  try {
    const { room } = await patiently(() => client.send('room:create', { roomId: id, name, type, memberIds }));
    roomId = room.id;
    if (topic !== undefined) await patiently(() => client.send('room:update', { roomId: room.id, topic }));
  } catch (error) {
    if (!isCode(error, 'CONFLICT')) throw error;
  }
  if (roomId === undefined) throw new Error('A direct room without an id');
  return roomId;
}

async function play(cast: Cast, seed: SeedRoom): Promise<RoomHandle> {
  const roomId = await openRoom(cast, seed);
  const rooms = new Map<Person, RoomHandle>();
  for (const person of [seed.owner, ...seed.others])
    rooms.set(person, await patiently(() => cast.client(person).join(roomId)));
  const roomOf = (person: Person): RoomHandle => {
    const room = rooms.get(person);
    if (room === undefined) throw new Error(`${person} is not in ${roomId}`);
    return room;
  };
  const ids: string[] = [];
  for (const [index, line] of seed.lines.entries()) {
    const { by, text, replyTo, thread, mentions, reported, ...more } = line;
    const { messageId } = await roomOf(by).send(text, {
      clientMessageId: `seed-${seed.id ?? seed.others.join('-')}-${index}`,
      replyTo: replyTo === undefined ? undefined : ids[replyTo],
      threadId: thread === undefined ? undefined : ids[thread],
      mentions: mentions?.map((person) => cast.id(person)),
    });
    ids.push(messageId);
    await embellish(messageId, roomOf, by, text, more);
    if (reported !== undefined) await report(cast, roomId, seed.owner, messageId, reported);
  }
  return roomOf(seed.owner);
}

async function embellish(
  messageId: string,
  roomOf: (person: Person) => RoomHandle,
  by: Person,
  text: string,
  { reactions = [], pinnedBy, editedTo }: Partial<Line>,
): Promise<void> {
  for (const [emoji, ...people] of reactions)
    for (const person of people) await patiently(() => roomOf(person).react(messageId, emoji));
  if (pinnedBy !== undefined) await patiently(() => roomOf(pinnedBy).pin(messageId));
  if (editedTo === undefined) return;
  const { messages } = await patiently(() => roomOf(by).history({ before: NEWEST, limit: 100 }));
  // Only the first time: an edit leaves its mark even when it changes nothing.
  const current = messages.find(({ id }) => id === messageId);
  if (current?.content === text) await patiently(() => roomOf(by).edit(messageId, editedTo));
}

/** Only when nobody has reported it, or has looked at the report already. */
async function report(
  cast: Cast,
  roomId: string,
  owner: Person,
  messageId: string,
  { by, reason }: NonNullable<Line['reported']>,
): Promise<void> {
  const { data } = await cast.rest<Page<Report>>(owner, 'GET', `/moderation/reports?roomId=${roomId}`);
  if (data.some((each) => each.messageId === messageId)) return;
  await cast.rest(by, 'POST', '/moderation/reports', { messageId, reason });
}

async function setStatuses(cast: Cast): Promise<void> {
  for (const [person, [status, text]] of Object.entries(STATUSES) as [Person, [OwnStatus, string]][])
    await patiently(() => cast.client(person).presence.set(status, { text }));
}

/** Once: it stands in the administrator's own inbox. */
async function announce(url: string, username: string, password: string): Promise<void> {
  const { getToken } = await patiently(() => signIn({ url, username, password }));
  const client = createClient({ url, getToken });
  try {
    for (const filter of ['all', 'archived'] as const) {
      let cursor: string | undefined;
      do {
        const page = await client.notifications.list({ filter, ...(cursor !== undefined && { cursor }) });
        if (page.notifications.some(({ title }) => title === ANNOUNCEMENT.title)) return;
        ({ cursor } = page);
      } while (cursor !== undefined);
    }
    const { title } = await client.admin.announce(ANNOUNCEMENT);
    console.log(`to everybody  ${title}`);
  } finally {
    client.close();
  }
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://localhost:3000' },
      admin: { type: 'string' },
      password: { type: 'string' },
    },
  });
  const cast = new Cast();
  try {
    await cast.arrive(values.url);
    for (const seed of ROOMS) {
      const room = await play(cast, seed);
      console.log(`${(room.view?.type ?? '').padEnd(13)} ${room.view?.name ?? room.id} (${room.id})`);
    }
    await setStatuses(cast);
    if (values.admin !== undefined) await announce(values.url, values.admin, values.password ?? PASSWORD);
  } finally {
    cast.leave();
  }
  const names = EVERYBODY.map((username) => `  ${username.padEnd(10)} ${PEOPLE[username]}`).join('\n');
  console.log(
    `\nYou can sign in as\n${names}\nwith the password ${PASSWORD}, for example\n  npm run chat -- --as ada --url ${values.url}`,
  );
}

run().catch((error: unknown) => {
  console.error(error instanceof ParleyError ? error.message : error);
  process.exit(1);
});
