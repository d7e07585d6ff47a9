import { randomUUID } from 'node:crypto';
import type { WireError } from '../../src/contract/errors.js';
import type { NamespaceName } from '../../src/contract/namespaces.js';
import type { Actor, AnyLine } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { COMMAND_EXAMPLES } from './authorization/commands.js';
import { REQUEST_EXAMPLES } from './authorization/requests.js';
import { RoleCast, type Cell, type Role } from './authorization/roles.js';

type Answer = Pick<WireError, 'code' | 'message' | 'details'> | 'ok';

/**
 * What one may not see is answered like what does not exist, to the letter. Every example of the authorization matrix is
 * carried out twice: with the ids of a private room, of its message, and with ids there is nothing under.
 */
describe('ids of what one may not see', () => {
  let server: TestServer;
  let cast: RoleCast;
  const outsiders: Role[] = ['stranger', 'administrator'];

  beforeAll(async () => {
    // No push leaves while it runs: its push services are made up.
    server = await TestServer.start({ PUSH_DELAY_SECONDS: '3600' });
    cast = await RoleCast.on(server);
    for (const role of outsiders) {
      await cast.actor(role)!.presence.connect();
      await cast.actor(role)!.notifications.connect();
    }
  });
  afterAll(() => server.stop());

  /** The same cell twice, over what is hidden and over nothing. */
  async function cells(role: Role): Promise<[hidden: Cell, nothing: Cell]> {
    const hidden = await cast.cell(role, 'private');
    const messageId = randomUUID();
    const ids = { roomId: randomUUID(), messageId, ownMessageId: messageId };
    return [hidden, { ...hidden, ...ids, reports: () => Promise.resolve(randomUUID()) }];
  }

  const commands = (['/chat', '/presence', '/notifications'] as NamespaceName[]).flatMap((namespace) =>
    Object.keys(COMMAND_EXAMPLES[namespace]).map((row) => [namespace, row] as const),
  );

  it.each(commands)('%s %s', async (namespace, row) => {
    const [command = ''] = row.split(' ');
    for (const role of outsiders) {
      const [hidden, nothing] = await cells(role);
      const line = cast.actor(role)!.lines.find((one) => one.namespace === namespace)!;
      const answers: Answer[] = [];
      for (const cell of [hidden, nothing]) {
        const answer = await line.ack(command as never, await COMMAND_EXAMPLES[namespace][row]!(cell));
        answers.push(answer.status === 'ok' ? 'ok' : told(answer.error));
      }
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  const requests = Object.keys(REQUEST_EXAMPLES).filter((row) => !row.includes('/auth/'));

  it.each(requests)('%s', async (row) => {
    const [hidden, nothing] = await cells('stranger');
    expect(await carriedOut(row, hidden)).toEqual(await carriedOut(row, nothing));
  });

  async function carriedOut(row: string, cell: Cell): Promise<Answer> {
    const [method = '', pattern = ''] = row.split(' ');
    const { path = {}, query = '', body, headers } = await REQUEST_EXAMPLES[row]!(cell);
    const parts = { ...cell, ...path } as Record<string, unknown>;
    const address = pattern.replace(/:(\w+)/g, (_all, name: string) =>
      encodeURIComponent(String(parts[name])),
    );
    const answer = await cell.actor!.rest(method, `${address}?${query}`, body, headers);
    if (answer.status < 400) return 'ok';
    const { code, detail, details } = answer.body as WireError & { detail: string };
    return { code, message: detail, ...(details && { details }) };
  }

  describe('beside ids of what one may', () => {
    let me: Actor;
    let hidden: Cell;
    let roomId: string;
    beforeAll(async () => {
      me = cast.actor('member')!;
      hidden = await cast.cell('stranger', 'private');
      ({ roomId } = await cast.cell('member'));
    });

    const unknown = randomUUID();
    const fields: [string, (id: string) => Promise<Answer>][] = [
      ['message:send replyTo', (id) => say('message:send', { content: 'x', replyTo: id })],
      ['message:send threadId', (id) => say('message:send', { content: 'x', threadId: id })],
      ['message:read messageId', (id) => say('message:read', { messageId: id })],
      ['message:history threadId', (id) => say('message:history', { threadId: id })],
      ['typing:start threadId', (id) => say('typing:start', { threadId: id })],
      ['GET messages threadId', (id) => ask('GET', `/rooms/${roomId}/messages?threadId=${id}`)],
      ['POST read messageId', (id) => ask('POST', `/rooms/${roomId}/read`, { messageId: id })],
      [
        'POST messages replyTo',
        (id) => ask('POST', `/rooms/${roomId}/messages`, { content: 'x', replyTo: id }),
      ],
    ];

    async function say(command: string, payload: object): Promise<Answer> {
      const chat: AnyLine = me;
      const answer = await chat.ack(command as never, { roomId, ...payload });
      return answer.status === 'ok' ? 'ok' : told(answer.error);
    }
    async function ask(method: string, path: string, body?: object): Promise<Answer> {
      const answer = await me.rest(method, path, body);
      if (answer.status < 400) return 'ok';
      const { code, detail, details } = answer.body as WireError & { detail: string };
      return { code, message: detail, ...(details && { details }) };
    }

    it.each(fields)('%s', async (_what, answerTo) => {
      expect(await answerTo(hidden.messageId)).toEqual(await answerTo(unknown));
    });

    it.each(['room:kick', 'room:role'])('%s of somebody who is not in the room', async (command) => {
      const owner = cast.actor('owner')!;
      const payload = (userId: string) => ({
        roomId,
        userId,
        ...(command === 'room:role' && { role: 'admin' }),
      });
      const known = await owner.refused(command, payload(hidden.outsiderId));
      expect(told(known)).toEqual(told(await owner.refused(command, payload(unknown))));
    });
  });

  it('notifications of somebody else: nothing changes, and counts stay', async () => {
    const [stranger, second] = [cast.actor('stranger')!, (await cast.cell('stranger')).second];
    const id = await (await cast.cell('stranger')).notifies(second.id);
    for (const command of ['notification:read', 'notification:archive'] as const) {
      const [foreign, none] = [
        await stranger.notifications.does(command, { ids: [id] }),
        await stranger.notifications.does(command, { ids: [randomUUID()] }),
      ];
      expect(foreign).toEqual(none);
    }
    const { body } = await second.rest('GET', `/notifications/${id}`);
    expect(body).toMatchObject({ id });
    expect(body).not.toHaveProperty('readAt');
    expect(body).not.toHaveProperty('archivedAt');
  });

  it('presence of people one shares no room with is the presence of nobody', async () => {
    const [loner] = await server.actors('loner');
    await loner.presence.connect();
    const userIds = [cast.actor('owner')!.id, randomUUID()];
    await loner.presence.does('presence:watch', { userIds });
    await loner.presence.inbox.until(
      () => loner.presence.got('presence:list').length === 2,
      'the list after the watch',
    );
    expect(loner.presence.got('presence:list').at(-1)).toEqual({ users: [], of: 'watched' });
    const { body } = await loner.rest('GET', `/presence?userIds=${userIds.join(',')}`);
    expect(body).toMatchObject({ data: [] });
  });
});

const told = ({ code, message, details }: WireError) => ({ code, message, ...(details && { details }) });
