import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import type { Actor } from '../harness/actor.js';
import { HOSTILE, MARKER, faultsIn } from '../harness/hostile.js';
import { RawClient } from '../harness/raw-client.js';
import { TestServer } from '../harness/server.js';

const FRAME_BYTES = 65_536;
const POSITIONS = '{"roomIds":["hall"]}';

/**
 * Beneath the commands: what is not a packet of Socket.IO, or comes at the wrong time, ends the connection it came over (Socket.IO can do
 * no other), and never the process or another connection.
 */
describe('raw frames', () => {
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  let token: string;
  const open: RawClient[] = [];

  beforeAll(async () => {
    server = await TestServer.start({
      MAX_CONNECTIONS_PER_USER: '1000',
      MAX_FRAME_BYTES: String(FRAME_BYTES),
    });
    [alice, bob] = await server.actors('alice', 'bob');
    await alice.does('room:create', { roomId: 'hall', name: 'Hall', type: 'public', memberIds: [bob.id] });
    token = alice.session.accessToken;
  });
  afterAll(() => server.stop());

  /** Neighbours go on, newcomers are let in, nobody was told anything wrong, nothing was logged as a defect. */
  afterEach(async () => {
    for (const client of open.splice(0)) client.close();
    for (const neighbour of [alice, bob]) {
      await neighbour.does('room:positions', { roomIds: ['hall'] });
      for (const wrong of ['error', 'disconnect', 'session:closing', 'connect_error'])
        expect(neighbour.inbox.all(wrong)).toEqual([]);
    }
    const newcomer = await chat();
    expect(await newcomer.command('room:positions', POSITIONS)).toMatchObject({ status: 'ok' });
    newcomer.close();
    expect(faultsIn(server.log)).toEqual([]);
  });

  const kept = (client: RawClient) => {
    open.push(client);
    return client;
  };
  const chat = async () => kept(await RawClient.in(server.url, '/chat', token));
  const transport = async () => kept(await RawClient.transport(server.url));
  const answers = async (client: RawClient) =>
    expect(await client.command('room:positions', POSITIONS)).toMatchObject({ status: 'ok' });
  /** Not in the greeting, whose id is made by chance. */
  const echoes = (client: RawClient) =>
    [...client.packets.map(({ text }) => text), ...client.others].filter(
      (text) => text.includes('zq9') && !text.startsWith('0{'),
    );

  describe('in a namespace', () => {
    const BROKEN: Record<string, (string | Buffer)[]> = {
      'an empty frame': [''],
      'an unknown Engine.IO packet': ['7'],
      'a heartbeat in the wrong direction': ['2'],
      'an unknown Socket.IO packet': ['49'],
      'text that is no packet': [MARKER],
      'an EVENT with broken JSON': ['42/chat,["room:list",'],
      'an EVENT with NaN': ['42/chat,1["room:sync",{"roomId":"hall","since":NaN}]'],
      'an EVENT with two values': ['42/chat,1["room:list",{}][]'],
      'an EVENT that is empty': ['42/chat,1[]'],
      'an EVENT without a list': ['42/chat,1{"a":1}'],
      'an EVENT of text': [`42/chat,1${JSON.stringify(MARKER)}`],
      'an EVENT named null': ['42/chat,1[null,{}]'],
      'an EVENT named by a list': ['42/chat,1[["room:list"],{}]'],
      'an EVENT named by an object': ['42/chat,1[{"a":1},{}]'],
      'an EVENT named true': ['42/chat,1[true]'],
      ...Object.fromEntries(
        ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map(
          (name) => [`an EVENT with the reserved name ${name}`, [`42/chat,1["${name}",{}]`]],
        ),
      ),
      'an EVENT to a namespace it is not in': ['42/admin,1["room:list",{}]'],
      'an EVENT to the default namespace': ['421["room:list",{}]'],
      'an EVENT to __proto__': ['42/__proto__,1["room:list",{}]'],
      'an ACK that is no list': ['43/chat,1{"a":1}'],
      'a CONNECT_ERROR': ['44/chat,{"message":"no"}'],
      'a binary ACK without a number': ['46-/chat,1[]'],
      'a binary EVENT without attachments': ['450-/chat,1["room:list",{}]'],
      'a binary EVENT with a negative number of them': ['45-1-/chat,1["room:list",{}]'],
      'a binary EVENT with half an attachment': ['451.5-/chat,1["room:list",{}]'],
      'a binary EVENT with too many attachments': ['4511-/chat,1["room:list",{}]'],
      'a binary EVENT with 1e9 attachments': ['451000000000-/chat,1["room:list",{}]'],
      'a binary EVENT that never says how many': ['45111111111'],
      'a binary frame that nothing announced': [Buffer.from(MARKER)],
      'an empty binary frame': [Buffer.alloc(0)],
      'text where an attachment was announced': [
        '451-/chat,1["room:list",{"_placeholder":true,"num":0}]',
        '42/chat,2["room:list",{}]',
      ],
      'an attachment that does not exist': [
        '451-/chat,1["room:list",{"_placeholder":true,"num":7}]',
        Buffer.from('x'),
      ],
      'an attachment with a negative number': [
        '451-/chat,1["room:list",{"_placeholder":true,"num":-1}]',
        Buffer.from('x'),
      ],
      'an attachment named __proto__': [
        '451-/chat,1["room:list",{"_placeholder":true,"num":"__proto__"}]',
        Buffer.from('x'),
      ],
      'an attachment 20,000 levels deep': [
        `451-/chat,1["room:list",${'['.repeat(20_000)}${']'.repeat(20_000)}]`,
        Buffer.from('x'),
      ],
    };

    it.each(Object.entries(BROKEN))('%s ends its own connection', async (_what, frames) => {
      const client = await chat();
      for (const frame of frames) client.write(frame);
      await client.closed();
      expect(client.of('ack')).toEqual([]);
      expect(echoes(client)).toEqual([]);
    });

    const HARMLESS: Record<string, (string | Buffer)[]> = {
      'a pong nobody asked for': ['3', '3', '3'],
      'a noop': ['6'],
      'a pong with text': [`3${MARKER}`],
      'an ACK of nothing': [
        '43/chat,77[]',
        '43/chat,0[{"status":"ok"}]',
        '43/chat,99999999999999999999[1]',
        '43/chat,[]',
      ],
      'a binary ACK of nothing': ['461-/chat,5[{"_placeholder":true,"num":0}]', Buffer.from(MARKER)],
      'an unused attachment': ['451-/chat,900["room:positions",{"roomIds":["hall"]}]', Buffer.from(MARKER)],
    };

    it.each(Object.entries(HARMLESS))('%s does no harm', async (_what, frames) => {
      const client = await chat();
      for (const frame of frames) client.write(frame);
      await answers(client);
      expect(client.events('error')).toEqual([]);
      expect(echoes(client)).toEqual([]);
      expect(client.closeCode).toBeUndefined();
    });

    it('an attachment that never comes blocks nobody else', async () => {
      const stuck = await chat();
      stuck.write('453-/chat,1["message:send",{"a":{"_placeholder":true,"num":0}}]');
      stuck.write(Buffer.from('one of three'));
      await answers(await chat());
      expect(stuck.of('ack')).toEqual([]);
    });

    it('the same id twice is answered twice, one answer each', async () => {
      const client = await chat();
      client.write(`42/chat,5["room:positions",${POSITIONS}]`);
      client.write('42/chat,5["room:positions",{"roomIds":1}]');
      await client.until(() => client.of('ack').length >= 2, 'both answers');
      await answers(client);
      expect(
        client
          .of('ack')
          .filter(({ id }) => id === 5)
          .map(({ data }) => (data as [{ status: string }])[0].status)
          .sort(),
      ).toEqual(['error', 'ok']);
    });

    it.each(['0', '9007199254740991', '9007199254740993', '123456789012345678901234567890', '1'.repeat(400)])(
      'the id %s is answered once, as far as a number holds it',
      async (id) => {
        const client = await chat();
        client.write(`42/chat,${id}["room:positions",${POSITIONS}]`);
        await answers(client);
        await client.until(() => client.of('ack').length + client.others.length >= 3, 'both answers');
        const all = [...client.of('ack').map(({ text }) => text), ...client.others];
        expect(all.filter((text) => text.includes('"positions"'))).toHaveLength(2);
      },
    );

    it('DISCONNECT ends the namespace; what still comes for it ends the transport', async () => {
      const client = await chat();
      client.write('41/chat,');
      // What comes in the same breath as the DISCONNECT is still on its way and may be answered.
      while (client.closeCode === undefined) {
        client.write(`42/chat,1["room:positions",${POSITIONS}]`);
        await sleep(20);
      }
    });

    it('commands on their way when the connection breaks harm nobody', async () => {
      for (let round = 0; round < 20; round += 1) {
        const client = await chat();
        for (let index = 0; index < 50; index += 1)
          client.emit('message:send', '{"roomId":"hall","content":"x"}');
        client.write('49');
        await client.closed();
      }
    });
  });

  describe('before CONNECT', () => {
    it.each([
      `42/chat,1["room:positions",${POSITIONS}]`,
      '421["x"]',
      '41/chat,',
      '43/chat,1[]',
      '44/chat,{}',
      '40/chat,"zq9"',
      '40/chat,[]',
      '40/chat,null',
      '40/chat,{"token":',
      '47',
      'nonsense',
    ])('%s ends the transport', async (frame) => {
      const client = await transport();
      client.write(frame);
      await client.closed();
      expect(client.packets).toEqual([]);
    });

    const AUTH: Record<string, string> = {
      'no auth': '',
      'an empty auth': '{}',
      'a field too many': '{"token":"a.b.c","admin":true}',
      'the protocol of tomorrow': '{"protocol":2}',
      'a protocol of text': '{"protocol":"1"}',
      __proto__: `{"__proto__":{"token":${JSON.stringify(MARKER)}}}`,
      'a constructor': '{"constructor":{"prototype":{"token":"x"}}}',
      ...Object.fromEntries(
        Object.entries(HOSTILE).map(([what, json]) => [`as token: ${what}`, `{"token":${json}}`]),
      ),
    };

    it.each(Object.entries(AUTH))('%s is refused, and may be tried again', async (_what, auth) => {
      const client = await transport();
      client.write(`40/chat,${auth}`);
      await client.until(() => client.of('connect_error').length > 0, 'the refusal');
      const { data, text } = client.of('connect_error')[0]!;
      expect(data).toMatchObject({
        message: expect.any(String) as string,
        data: { code: expect.stringMatching(/^(VALIDATION_FAILED|UNAUTHENTICATED)$/) as string },
      });
      expect(text).not.toContain('zq9');
      client.write(`40/chat,${JSON.stringify({ token })}`);
      await client.until(() => client.events('session:ready').length > 0, 'session:ready');
      await answers(client);
      expect(client.of('connect_error')).toHaveLength(1);
    });

    it.each([
      '/',
      '/admin',
      '/chat/',
      '/CHAT',
      '/chat?x=1',
      '/chat#x',
      '//chat',
      '/../chat',
      '/__proto__',
      '/constructor',
      '/\u0000',
      `/${'n'.repeat(60_000)}`,
    ])('the namespace %.20s is refused', async (namespace) => {
      const client = await transport();
      client.write(`40${namespace},${JSON.stringify({ token })}`);
      await client.until(() => client.of('connect_error').length > 0, 'the refusal');
      expect(client.of('connect')).toEqual([]);
      client.write(`40/chat,${JSON.stringify({ token })}`);
      await client.until(() => client.events('session:ready').length > 0, 'session:ready');
    });

    it('5,000 pipelined CONNECTs open the namespace at most once', async () => {
      const client = await transport();
      for (let index = 0; index < 5000; index += 1) client.write(`40/chat,${JSON.stringify({ token })}`);
      // A CONNECT to a namespace that is open ends the transport; until then each is refused.
      await client.until(
        () => client.closeCode !== undefined || client.packets.length >= 5000,
        'all the answers',
        15_000,
      );
      expect(client.of('connect').length).toBeLessThanOrEqual(1);
      for (const { data } of client.of('connect_error'))
        expect(data).toMatchObject({ data: { code: 'FORBIDDEN' } });
    });

    it('5,000 pipelined CONNECTs with bad tokens and to unknown namespaces are each refused', async () => {
      const client = await transport();
      for (let index = 0; index < 2500; index += 1) {
        client.write('40/chat,{"token":"a.b.c"}');
        client.write(`40/unknown-${String(index)},{}`);
      }
      await client.until(() => client.of('connect_error').length >= 5000, 'all the answers', 15_000);
      expect(client.of('connect')).toEqual([]);
    });
  });

  describe('large frames', () => {
    const frameOf = (bytes: number, letter = 'a') => {
      const [head, tail] = ['42/chat,3["message:send",{"roomId":"hall","content":"', '"}]'];
      const room = bytes + 1 - Buffer.byteLength(head + tail);
      return (
        head +
        letter.repeat(Math.floor(room / Buffer.byteLength(letter))) +
        'a'.repeat(room % Buffer.byteLength(letter)) +
        tail
      );
    };

    // Without the type of the Engine.IO packet, one byte, a frame is what the limit speaks of: the whole of it counts.
    it.each(['a', 'é', '👍'])('one of exactly the limit, in %s, is answered', async (letter) => {
      const client = await chat();
      const frame = frameOf(FRAME_BYTES - 1, letter);
      expect(Buffer.byteLength(frame)).toBe(FRAME_BYTES);
      client.write(frame);
      const [answer] = await client.answers([3]);
      expect(answer?.data).toMatchObject([
        { status: 'error', error: { code: 'VALIDATION_FAILED', details: [{ path: 'content' }] } },
      ]);
      await answers(client);
    });

    it.each(['a', 'é', '👍'])('one byte more, in %s, closes with 1009', async (letter) => {
      const client = await chat();
      const sibling = await chat();
      client.write(frameOf(FRAME_BYTES, letter));
      expect(await client.closed()).toBe(1009);
      expect(client.of('ack')).toEqual([]);
      await answers(sibling);
    });

    it('10 MB close with 1009, as text or binary, in a namespace or before', async () => {
      for (const frame of [frameOf(10_000_000), Buffer.alloc(10_000_000)])
        for (const client of [await chat(), await transport()]) {
          client.write(frame);
          expect(await client.closed()).toBe(1009);
        }
    });
  });

  describe('HTTP of Engine.IO', () => {
    // Engine.IO waits 30 s for the last poll of a session, longer than this suite lives.
    beforeAll(() => {
      const { engine } = server.app.get(RealtimeServer).namespace('/chat').server;
      engine.on('connection', ({ transport }: { transport: { closeTimeout?: number } }) => {
        transport.closeTimeout = 50;
      });
    });
    const get = (query: string, method = 'GET', body?: string) =>
      call(`${server.url}/socket.io/?${query}`, method, body);
    const session = async () =>
      (JSON.parse((await get('EIO=4&transport=polling')).text.slice(1)) as { sid: string }).sid;

    it.each([
      'EIO=3&transport=polling',
      'EIO=5&transport=polling',
      'transport=polling',
      'EIO=4',
      'EIO=4&transport=zq9',
      'EIO=4&transport=__proto__',
      'EIO=4&transport=constructor',
      'EIO=4&transport=polling&transport=websocket',
      'EIO=4&EIO=3&transport=polling',
      'EIO=4&transport=websocket',
      'EIO=4&transport=webtransport',
      ...['zq9', '__proto__', 'constructor', 'toString', '%00', '%ff', 'a&sid=b', ''].map(
        (sid) => `EIO=4&transport=polling&sid=${sid}`,
      ),
      '__proto__=1&constructor=1',
      '%',
      `EIO=4&transport=${'p'.repeat(10_000)}`,
    ])('GET %.60s is refused or begins a session', async (query) => {
      const { status, text } = await get(query);
      expect([status, text]).toEqual([
        status === 200 ? 200 : 400,
        expect.not.stringContaining('zq9') as string,
      ]);
      if (status === 200) expect(text).toMatch(/^0\{"sid":/);
    });

    it.each(['PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE', 'OPTIONS'])(
      '%s is no method of it',
      async (method) => {
        const { status } = await get('EIO=4&transport=polling', method);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(500);
        expect(status === 200).toBe(false);
      },
    );

    it('JSONP does not carry script', async () => {
      for (const j of ['zq9</script>', '0&j=1', '__proto__']) {
        const { status, text } = await get(`EIO=4&transport=polling&j=${encodeURIComponent(j)}`);
        expect([status < 500, text.includes('zq9')]).toEqual([true, false]);
      }
    });

    it('EIO=3 is refused over a WebSocket, too', async () => {
      for (const query of ['EIO=3&transport=websocket', 'transport=websocket']) {
        const client = kept(await RawClient.transport(server.url, query));
        await client.closed();
        expect([...client.packets, ...client.others]).toEqual([]);
      }
      await expect(RawClient.transport(server.url, 'EIO=4&transport=zq9')).rejects.toThrow('400');
    });

    it.each<[string, string]>([
      ['no packet', 'zq9'],
      ['nothing', ''],
      ['only separators', '\x1e\x1e\x1e'],
      ['thousands of separators', '\x1e'.repeat(60_000)],
      ['an unknown type', '9'],
      ['binary that is not base64', 'b%%%'],
      ['broken JSON', '40/chat,{'],
      ['an upgrade', '5'],
      ['a probe', '2probe'],
      ['a close and more', '1\x1e40/chat,\x1e42/chat,["x"]'],
      ['a frame before CONNECT', '42/chat,1["room:list",{}]'],
      ['thousands of packets', '40/chat,{}\x1e'.repeat(5000) + '3'],
    ])('a polling body of %s ends at most its own session', async (_what, body) => {
      const sid = await session();
      const { status, text } = await get(`EIO=4&transport=polling&sid=${sid}`, 'POST', body);
      expect([200, 400]).toContain(status);
      expect(text).not.toContain('zq9');
    });

    it('a polling body above the limit is refused, one at the limit is read', async () => {
      const fits = await session();
      const body = (bytes: number) =>
        `40/chat,${JSON.stringify({ token: 'a'.repeat(bytes - Buffer.byteLength('40/chat,{"token":""}')) })}`;
      expect(await get(`EIO=4&transport=polling&sid=${fits}`, 'POST', body(FRAME_BYTES))).toMatchObject({
        status: 200,
        text: 'ok',
      });
      expect((await get(`EIO=4&transport=polling&sid=${fits}`)).text).toMatch(/^44\/chat,.*UNAUTHENTICATED/);
      const large = await session();
      const refused = await get(`EIO=4&transport=polling&sid=${large}`, 'POST', body(FRAME_BYTES + 1)).catch(
        (error: unknown) => error,
      );
      expect(refused instanceof Error || (refused as { status: number }).status === 413).toBe(true);
    });

    it('two polls at once end that session alone', async () => {
      const sid = await session();
      await get(`EIO=4&transport=polling&sid=${sid}`, 'POST', `40/chat,${JSON.stringify({ token })}`);
      await get(`EIO=4&transport=polling&sid=${sid}`);
      const polls = await Promise.allSettled([1, 2, 3].map(() => get(`EIO=4&transport=polling&sid=${sid}`)));
      for (const poll of polls) if (poll.status === 'fulfilled') expect(poll.value.status).toBeLessThan(500);
    });

    it('an upgrade to a session that is unknown, of somebody else or upgraded already is refused', async () => {
      for (const sid of ['zq9', '__proto__', 'constructor'])
        await expect(RawClient.transport(server.url, `EIO=4&transport=websocket&sid=${sid}`)).rejects.toThrow(
          '400',
        );
      const sid = await session();
      const first = kept(await RawClient.transport(server.url, `EIO=4&transport=websocket&sid=${sid}`));
      first.write('2probe');
      await first.until(() => first.others.includes('3probe'), 'the answer to the probe');
      const second = kept(await RawClient.transport(server.url, `EIO=4&transport=websocket&sid=${sid}`));
      await second.closed();
      first.write('5');
      first.write(`40/chat,${JSON.stringify({ token })}`);
      await first.until(() => first.events('session:ready').length > 0, 'session:ready');
      const third = kept(await RawClient.transport(server.url, `EIO=4&transport=websocket&sid=${sid}`));
      await third.closed();
      await answers(first);
    });

    it.each(['4', '40/chat,', '2zq9', '1', 'zq9', '', '42/chat,["x"]'])(
      '%s instead of a probe ends the upgrade, not the session',
      async (frame) => {
        const sid = await session();
        const upgrade = kept(await RawClient.transport(server.url, `EIO=4&transport=websocket&sid=${sid}`));
        upgrade.write(frame);
        await upgrade.closed();
        const post = await get(
          `EIO=4&transport=polling&sid=${sid}`,
          'POST',
          `40/chat,${JSON.stringify({ token })}`,
        );
        expect(post).toMatchObject({ status: 200, text: 'ok' });
      },
    );
  });
});

function call(url: string, method: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    // `fetch` would mend the address and refuse TRACE.
    const request = httpRequest(
      url,
      {
        method,
        agent: false,
        headers: { ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on('error', reject);
    request.setTimeout(10_000, () => request.destroy(new Error('No answer')));
    request.end(body);
  });
}
