import { createECDH, randomBytes } from 'node:crypto';
import type { AuthSession } from '../../../src/contract/rest.js';
import type { Actor } from '../../harness/actor.js';
import type { Cell } from './roles.js';

/** What a request carries beside the path, whose parts come from the cell by their names. */
export interface RequestExample {
  path?: Record<string, string>;
  query?: string;
  body?: object;
  headers?: Record<string, string>;
  /** Instead of the session of the role. */
  session?: AuthSession;
}
type Example = (cell: Cell) => RequestExample | Promise<RequestExample>;

const reason = 'agreed';
const because = (): RequestExample => ({ query: `reason=${reason}` });
const MISSING = '01980000-0000-7000-8000-000000000001';

/** Where the act would be felt by the cast, it is done to somebody made for it. */
const toNewUser = async ({ newUser }: Cell) => ({
  path: { userId: (await newUser()).user.id },
  body: { reason },
});

/** A browser with keys of its own, at a push service of that name. */
function browser(name: string) {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  return {
    endpoint: `https://push.example.com/${name}`,
    keys: {
      p256dh: keys.getPublicKey('base64url'),
      auth: randomBytes(16).toString('base64url'),
    },
  };
}

const subscriptionOf = (actor: Actor, { roomId }: Cell) =>
  idOf(actor, '/push-subscriptions', browser(`${roomId}-${actor.id}`));

/** Of what this request made. */
async function idOf(actor: Actor, path: string, body: object): Promise<string> {
  const answer = await actor.rest('POST', path, body);
  expect(answer).toMatchObject({ status: 201 });
  return (answer.body as { id: string }).id;
}

/** Who is suspended cannot sign in: their old session does not end either. */
const freshSession = async ({ role, session, server }: Cell): Promise<RequestExample> =>
  role === 'suspended' || !session ? {} : { session: await server.login(session.user.username) };

/** One for each row under `/api/v1`; a route that reads nothing but its path has none. */
export const REQUEST_EXAMPLES: Record<string, Example> = {
  'POST /auth/register': ({ roomId }) => ({
    body: { username: `u-${roomId.slice(-20)}`, password: 'correct horse battery' },
  }),
  'POST /auth/login': ({ session }) => ({
    body: { username: session?.user.username ?? 'owner', password: 'correct horse battery' },
  }),
  'POST /auth/refresh': async ({ session, newUser, role }) => ({
    body: { refreshToken: role === 'suspended' ? session?.refreshToken : (await newUser()).refreshToken },
  }),
  'POST /auth/logout': freshSession,
  // It would end the sockets of everybody in the cast.
  'POST /auth/logout-all': async ({ role, newUser }) =>
    role === 'nobody' || role === 'suspended' ? {} : { session: await newUser() },
  'PATCH /users/me': () => ({ body: { avatarUrl: null } }),
  'POST /rooms': () => ({ body: { name: 'Mine', type: 'public' } }),
  'PATCH /rooms/:roomId': () => ({ body: { topic: 'Changed' } }),
  'POST /rooms/:roomId/signals': () => ({ body: { kind: 'cursor', data: { x: 1 } } }),
  'POST /rooms/:roomId/members': ({ outsiderId }) => ({ body: { userId: outsiderId } }),
  'POST /rooms/:roomId/members oneself': ({ session }) => ({
    body: { userId: session?.user.id ?? 'nobody' },
  }),
  'PATCH /rooms/:roomId/members/:userId': () => ({ body: { role: 'admin' } }),
  'DELETE /rooms/:roomId/members/:userId oneself': ({ session }) => ({
    path: { userId: session?.user.id ?? 'nobody' },
  }),
  'GET /rooms/:roomId/changes': () => ({ query: 'since=0' }),
  'POST /rooms/:roomId/read': () => ({ body: { seq: 1 } }),
  'POST /rooms/:roomId/messages': () => ({ body: { content: 'hello' } }),
  'PATCH /messages/:messageId': ({ ownMessageId }) => ({
    path: { messageId: ownMessageId },
    body: { content: 'changed' },
  }),
  "PATCH /messages/:messageId another's": () => ({ body: { content: 'changed' } }),
  'DELETE /messages/:messageId': ({ ownMessageId }) => ({ path: { messageId: ownMessageId } }),
  'GET /presence': ({ userId }) => ({ query: `userIds=${userId}` }),
  'PUT /presence': () => ({ body: { status: 'busy' } }),
  'GET /notifications/:notificationId': async ({ session, notifies }) => ({
    path: { notificationId: session ? await notifies(session.user.id) : MISSING },
  }),
  "GET /notifications/:notificationId another's": async ({ userId, notifies }) => ({
    path: { notificationId: await notifies(userId) },
  }),
  'GET /notifications/decisions': ({ messageId }) => ({ query: `messageId=${messageId}` }),
  'GET /notifications/decisions of another': ({ messageId, userId }) => ({
    query: `messageId=${messageId}&userId=${userId}`,
  }),
  'POST /notifications/read': () => ({ body: { ids: [MISSING] } }),
  'POST /notifications/archive': () => ({ body: { ids: [MISSING] } }),
  'POST /notifications': ({ roomId, userId }) => ({
    headers: { 'idempotency-key': roomId },
    body: { userIds: [userId], title: 'Shipped' },
  }),
  'PUT /notification-preferences': ({ roomId }) => ({ body: { roomId, level: 'none' } }),
  'PUT /notification-preferences of a kind': () => ({ body: { kind: 'reply', channels: { push: false } } }),
  'PUT /notification-preferences/email where no mail is sent': () => ({
    body: { address: 'somebody@example.com' },
  }),
  'POST /push-subscriptions': ({ roomId }) => ({ body: browser(roomId) }),
  'DELETE /push-subscriptions/:subscriptionId': async (cell) => ({
    path: { subscriptionId: cell.actor ? await subscriptionOf(cell.actor, cell) : MISSING },
  }),
  "DELETE /push-subscriptions/:subscriptionId another's": async (cell) => ({
    path: { subscriptionId: await subscriptionOf(cell.second, cell) },
  }),
  'PUT /moderation/rooms/:roomId/mutes/:userId': () => ({ body: { reason } }),
  'DELETE /moderation/rooms/:roomId/mutes/:userId': because,
  'PUT /moderation/rooms/:roomId/bans/:userId': () => ({ body: { reason } }),
  'PUT /moderation/rooms/:roomId/bans/:userId the owner': ({ ownerId }) => ({
    path: { userId: ownerId },
    body: { reason },
  }),
  'DELETE /moderation/rooms/:roomId/bans/:userId': because,
  'PUT /moderation/mutes/:userId': toNewUser,
  'DELETE /moderation/mutes/:userId': because,
  'PUT /moderation/bans/:userId': toNewUser,
  'DELETE /moderation/bans/:userId': because,
  'GET /moderation/restrictions of a room': ({ roomId }) => ({ query: `roomId=${roomId}` }),
  'POST /moderation/filters': ({ roomId }) => ({
    body: { kind: 'word', pattern: `unspeakable-${roomId}`, action: 'flag', reason },
  }),
  'DELETE /moderation/filters/:id': async ({ administrator, roomId }) => {
    const body = { kind: 'word', pattern: `unspeakable-${roomId}`, action: 'flag', reason };
    return {
      path: { id: await idOf(administrator, '/moderation/filters', body) },
      query: `reason=${reason}`,
    };
  },
  'POST /moderation/reports': ({ messageId }) => ({ body: { messageId, reason } }),
  'GET /moderation/reports of a room': ({ roomId }) => ({ query: `roomId=${roomId}` }),
  'POST /moderation/reports/:id/close': async ({ reports }) => ({
    path: { id: await reports() },
    body: { status: 'resolved' },
  }),
  'POST /admin/announcements': () => ({ body: { title: 'Maintenance', body: 'Tonight', reason } }),
  'POST /admin/users/:userId/disconnect': toNewUser,
  'POST /admin/users/:userId/suspend': toNewUser,
  'POST /admin/users/:userId/resume': toNewUser,
  'PUT /admin/users/:userId/role': async (cell) => {
    const { path } = await toNewUser(cell);
    return { path, body: { role: 'admin', reason } };
  },
  'DELETE /admin/messages/:messageId': because,
  'POST /admin/jobs/:id/retry': () => ({ path: { id: MISSING }, body: { reason } }),
  'POST /admin/outbox/:id/retry': () => ({ path: { id: '999999999' }, body: { reason } }),
  'PUT /admin/rooms/:roomId/freeze': () => ({ body: { reason } }),
  'DELETE /admin/rooms/:roomId/freeze': because,
};
