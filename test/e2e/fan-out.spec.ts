import { setImmediate as turn } from 'node:timers/promises';
import type { Server } from 'socket.io';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { FrameQueue } from '../../src/platform/realtime/frame-queue.js';
import { missingPart, type Engine } from '../../src/platform/realtime/frame-queue-internals.js';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import { userChannel, type RealtimeSocket } from '../../src/platform/realtime/realtime-socket.js';
import type { Actor } from '../harness/actor.js';
import { RawClient } from '../harness/raw-client.js';
import { TestServer } from '../harness/server.js';
import { WireTap } from '../harness/wire-tap.js';

const chatOf = (server: TestServer) => server.app.get(RealtimeServer, { strict: false }).namespace('/chat');
const socketOf = (server: TestServer, { id }: Actor): RealtimeSocket =>
  [...chatOf(server).sockets.values()].find(({ data }) => data.actor.userId === id)!;
/** Of socket.io: the function that answers a command. */
type WithAck = { ack(id: number): (answer: unknown) => void };

async function framesBy(server: TestServer, path: 'queue' | 'plain'): Promise<number> {
  const text = await server.app.get(Metrics, { strict: false }).text();
  return Number(new RegExp(`^parley_frames_total\\{path="${path}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** A line that differs with every message, and of every length a header can tell. */
const CONTENTS = [
  '',
  'x',
  'grüße 👋 שלום \u2028 \0',
  ...[80, 100, 120, 65_480, 65_520, 70_000].map((length) => 'y'.repeat(length)),
];

describe('fan-out', () => {
  let server: TestServer;
  let alice: Actor;

  beforeAll(async () => {
    server = await TestServer.start({ MAX_CONNECTIONS_PER_USER: '1000' });
    [alice] = await server.actors('alice');
    await alice.does('room:create', { roomId: 'hall', name: 'Hall', type: 'public' });
  });
  afterAll(() => server.stop());

  /** Two of one user: one through the queue, and one whose every packet engine.io reports to a listener, so that it goes the plain path. */
  async function taps() {
    const token = alice.session.accessToken;
    const before = new Set(chatOf(server).sockets.keys());
    const queued = await WireTap.in(server.url, '/chat', token);
    const { engine } = (chatOf(server) as unknown as { server: Server }).server;
    engine.once('connection', (conn: { on(event: string, listener: () => void): void }) =>
      conn.on('packetCreate', () => undefined),
    );
    const plain = await WireTap.in(server.url, '/chat', token);
    const sockets = [...chatOf(server).sockets.values()].filter(({ id }) => !before.has(id));
    const both = chatOf(server).to(sockets.map(({ id }) => id));
    let marks = 0;
    /** Both have everything so far, and nothing of it is on its way. */
    const settled = async () => {
      const text = `["settled",${String((marks += 1))}]`;
      both.emit('settled', marks);
      await Promise.all([queued.has(text), plain.has(text)]);
    };
    await settled();
    const start = [queued, plain].map((tap) => tap.received().length);
    const bytes = () => [queued, plain].map((tap, i) => tap.received().subarray(start[i]));
    return { queued, plain, sockets, both, settled, bytes };
  }

  it('the bytes are those of the plain path: broadcasts, own events, answers, volatile, binary, the end', async () => {
    const { queued, plain, sockets, both, settled, bytes } = await taps();
    const before = [await framesBy(server, 'queue'), await framesBy(server, 'plain')];
    for (const content of CONTENTS) both.emit('test:told', content);
    for (const content of CONTENTS) for (const socket of sockets) socket.emit('test:own', content);
    await settled();
    // An event, an answer, an event: each kind after each other one.
    for (const content of CONTENTS) {
      both.emit('test:told', content);
      for (const socket of sockets) (socket as unknown as WithAck).ack(7)({ content });
      for (const socket of sockets) socket.emit('test:own', content);
      both.emit('test:binary', Buffer.from(content), { content, more: new Uint8Array(1) });
    }
    await settled();
    both.volatile.emit('test:volatile', 'first of its turn');
    both.emit('test:told', 'after it');
    await settled();
    // One after the other: commands under way together may be answered in any order.
    for (const id of [1, 2, 3])
      for (const tap of [queued, plain]) {
        tap.send(`42/chat,${String(id)}["room:positions",{"roomIds":["hall"]}]`);
        await tap.has(`43/chat,${String(id)}[`);
      }
    both.emit('test:told', 'the last');
    for (const socket of sockets) socket.disconnect(true);
    await Promise.all([queued.closed(), plain.closed()]);

    const [ofQueue, ofPlain] = bytes();
    expect(ofQueue!.length).toBeGreaterThan(1_000_000);
    expect(ofQueue!.equals(ofPlain!)).toBe(true);
    // Otherwise the two were the same road.
    expect(await framesBy(server, 'queue')).toBeGreaterThan(before[0]! + 20);
    expect(await framesBy(server, 'plain')).toBeGreaterThan(before[1]! + 60);
  });

  it('compression is never agreed on, whatever a client offers', async () => {
    const tap = await WireTap.in(server.url, '/chat', alice.session.accessToken);
    expect(tap.received().toString('latin1')).not.toMatch(/sec-websocket-extensions/i);
    tap.close();
  });

  it.each(['websocket', 'polling'])(
    'an unmodified client over %s has everything, once, in order',
    async (transport) => {
      const bob = await server.connected(await server.register(`bob-${transport}`), {
        transports: [transport],
      });
      const to = chatOf(server).to(userChannel(bob.id));
      for (let n = 1; n <= 2000; n += 1) {
        if (n % 100 === 0) to.emit('test:number', n, Buffer.from('binary'));
        else to.emit('test:number', n);
        if (n % 7 === 0) await turn();
      }
      await bob.inbox.until(() => bob.inbox.all('test:number').length >= 2000, '2,000 numbers');
      expect(bob.inbox.all('test:number')).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
      // A polling client that goes by itself keeps engine.io waiting for 30 s.
      socketOf(server, bob).disconnect(true);
      await bob.isDisconnected();
    },
  );

  it('an upgrade from polling in the middle of a stream loses, repeats and reorders nothing', async () => {
    const bob = server.actor(await server.register('bob-upgrades'), { transports: ['polling', 'websocket'] });
    const opening = bob.connect();
    await opening;
    const to = chatOf(server).to(userChannel(bob.id));
    const transport = () => socketOf(server, bob).conn.transport.name;
    let sent = 0;
    while (transport() === 'polling') {
      to.emit('test:number', (sent += 1));
      await turn();
    }
    for (const end = sent + 500; sent < end;) to.emit('test:number', (sent += 1));
    await bob.inbox.until(() => bob.inbox.all('test:number').length >= sent, `${String(sent)} numbers`);
    expect(transport()).toBe('websocket');
    expect(bob.inbox.all('test:number')).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
  });

  it('answers and events of one connection keep their order, also behind binary and volatile ones', async () => {
    const bob = await server.register('bob-ordered');
    const client = await RawClient.in(server.url, '/chat', bob.accessToken);
    const socket = [...chatOf(server).sockets.values()].find(
      ({ data }) => data.actor.userId === bob.user.id,
    )!;
    for (let n = 0; n < 300; n += 3) {
      (socket as unknown as WithAck).ack(1000 + n)({ n });
      socket.emit('test:number', n + 1);
      if (n % 30 === 0) socket.emit('test:binary', Buffer.alloc(10));
      if (n % 42 === 0) socket.volatile.emit('test:volatile');
      chatOf(server)
        .to(socket.id)
        .emit('test:number', n + 2);
      if (n % 60 === 0) await turn();
    }
    await client.until(() => client.events('test:number').includes(299), 'the last number');
    const numbers = client.packets.flatMap(({ kind, id, data }) => {
      if (kind === 'ack') return [id! - 1000];
      if (kind !== 'event') return [];
      const [name, n] = data as [string, number];
      return name === 'test:number' ? [n] : [];
    });
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, i) => i));
    client.close();
  });

  it('what was said before a disconnect arrives before it', async () => {
    const session = await server.register('bob-leaves');
    for (const transport of ['websocket', 'polling']) {
      const bob = await server.connected(session, { transports: [transport] });
      chatOf(server).to(userChannel(bob.id)).emit('test:last', 1);
      chatOf(server).in(userChannel(bob.id)).disconnectSockets(true);
      await bob.isDisconnected();
      expect(bob.inbox.all('test:last')).toEqual([1]);
    }
  });

  it('a frame of many receivers leaves in as few writes as there are receivers, whatever else their queues hold', async () => {
    const people = await Promise.all(
      Array.from({ length: 5 }, async (_, i) =>
        server.connected(await server.register(`crowd-${String(i)}`)),
      ),
    );
    const written = async () => {
      const text = await server.app.get(Metrics, { strict: false }).text();
      return Number(/^parley_socket_writes_total (\d+)$/m.exec(text)![1]);
    };
    await turn();
    const [frames, writes] = [await framesBy(server, 'queue'), await written()];
    const room = chatOf(server).to(people.map(({ id }) => userChannel(id)));
    for (let n = 1; n <= 100; n += 1) room.emit('test:number', n);
    for (const person of people)
      await person.inbox.until(() => person.inbox.all('test:number').length === 100, '100');
    expect((await framesBy(server, 'queue')) - frames).toBe(500);
    expect((await written()) - writes).toBe(5);
  });
});

describe('without a part the frame queue relies on', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  const engine = () => (chatOf(server) as unknown as { server: Server }).server.engine as unknown as Engine;
  type WebSocketClass = NonNullable<NonNullable<NonNullable<Engine['ws']>['options']>['WebSocket']>;
  /** The libraries as they are, but for their class of WebSockets. */
  const having = (change: Partial<WebSocketClass>): Engine => {
    const { prototype, Sender } = engine().ws!.options!.WebSocket!;
    return { ws: { options: { WebSocket: { prototype, Sender, ...change } } } };
  };
  class Masks {
    constructor(private readonly socket: { write(chunk: Buffer): void }) {}
    send(text: string): void {
      this.socket.write(
        Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 1, 2, 3, 4]), Buffer.from(text)]),
      );
    }
  }

  it('is found out', () => {
    expect(missingPart(engine())).toBeUndefined();
    expect(missingPart({})).toMatch(/class of WebSockets/);
    expect(missingPart(having({ prototype: {} }))).toMatch(/close/);
    expect(missingPart(having({ Sender: undefined }))).toMatch(/Sender/);
    expect(missingPart(having({ Sender: Masks as never }))).toMatch(/frames/);
    expect(missingPart(having({ Sender: class {} as never }))).toMatch(/writes/);
  });

  it('everything takes the plain path, and the log says so once', async () => {
    const before = await framesBy(server, 'queue');
    const queue = server.app.get(FrameQueue, { strict: false });
    for (let start = 0; start < 2; start += 1)
      queue.start({ engine: having({ Sender: undefined }) as never });
    expect(server.log.filter((line) => line.includes('plain path'))).toHaveLength(1);

    const [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:create', { roomId: 'hall', name: 'Hall', type: 'public', memberIds: [bob.id] });
    await alice.sends('hall', 'hello');
    await bob.receives('message:new', { content: 'hello' });
    await Promise.all(Array.from({ length: 50 }, (_, n) => alice.sends('hall', String(n))));
    await bob.receives('message:new', { content: '49' });
    chatOf(server).to(userChannel(bob.id)).emit('test:last', 1);
    chatOf(server).in(userChannel(bob.id)).disconnectSockets(true);
    await bob.isDisconnected();
    expect(bob.inbox.all('test:last')).toEqual([1]);
    expect(await framesBy(server, 'queue')).toBe(before);
    expect(await framesBy(server, 'plain')).toBeGreaterThan(50);
  });
});
