import type { CommandsOf, NamespaceName } from '../../../src/contract/namespaces.js';
import type { Cell } from './roles.js';

type PayloadOf<C> = C extends { payload: infer P } ? P : never;
type Example<P> = (cell: Cell) => P | Promise<P>;
/** A payload for each row: `command`, or `command what is meant`. */
type Examples<N extends NamespaceName> = {
  [C in keyof CommandsOf[N] & string]: Example<PayloadOf<CommandsOf[N][C]>>;
} & {
  [
    Row in `${keyof CommandsOf[N] & string} ${string}`
  ]: Row extends `${infer C extends keyof CommandsOf[N] & string} ${string}`
    ? Example<PayloadOf<CommandsOf[N][C]>>
    : never;
};

const inRoom = ({ roomId }: Cell) => ({ roomId });
const someone = ({ roomId, userId }: Cell) => ({ roomId, userId });
const reason = 'As agreed';
const ownToken = ({ session }: Cell) => ({ token: session?.accessToken ?? '' });
const anothersToken = ({ otherToken }: Cell) => ({ token: otherToken });
const nothing = () => ({});

const chat: Examples<'/chat'> = {
  'room:join': inRoom,
  'room:leave': inRoom,
  'room:create': () => ({ name: 'Mine', type: 'public' }),
  'room:list': nothing,
  'room:members': inRoom,
  'room:invite': ({ roomId, outsiderId }) => ({ roomId, userId: outsiderId }),
  'room:invite with a role': ({ roomId, outsiderId }) => ({ roomId, userId: outsiderId, role: 'admin' }),
  'room:kick': someone,
  'room:kick the owner': ({ roomId, ownerId }) => ({ roomId, userId: ownerId }),
  'room:role': (cell) => ({ ...someone(cell), role: 'admin' }),
  'room:update': (cell) => ({ ...inRoom(cell), topic: 'Changed' }),
  'room:update archived': (cell) => ({ ...inRoom(cell), archived: true }),
  'room:sync': (cell) => ({ ...inRoom(cell), since: 0 }),
  'room:positions': ({ roomId }) => ({ roomIds: [roomId] }),
  'room:signal': (cell) => ({ ...inRoom(cell), kind: 'cursor', data: { x: 1 } }),
  'message:send': (cell) => ({ ...inRoom(cell), content: 'hello' }),
  'message:send to @room': (cell) => ({ ...inRoom(cell), content: 'hello', mentions: ['@room'] }),
  'message:edit': ({ ownMessageId }) => ({ messageId: ownMessageId, content: 'changed' }),
  "message:edit another's": ({ messageId }) => ({ messageId, content: 'changed' }),
  'message:delete': ({ ownMessageId }) => ({ messageId: ownMessageId }),
  "message:delete another's": ({ messageId }) => ({ messageId }),
  'message:react': ({ messageId, emoji }) => ({ messageId, emoji, on: true }),
  'message:pin': ({ messageId }) => ({ messageId, on: true }),
  'message:read': (cell) => ({ ...inRoom(cell), seq: 1 }),
  'message:history': inRoom,
  'typing:start': inRoom,
  'typing:stop': inRoom,
  'auth:refresh': ownToken,
  "auth:refresh another's": anothersToken,
};

const presence: Examples<'/presence'> = {
  'presence:set': () => ({ status: 'busy' }),
  'presence:activity': nothing,
  'presence:watch': ({ userId }) => ({ userIds: [userId] }),
  'presence:unwatch': ({ userId }) => ({ userIds: [userId] }),
  'auth:refresh': ownToken,
  "auth:refresh another's": anothersToken,
};

const NO_NOTIFICATION = '01980000-0000-7000-8000-000000000001';

const notifications: Examples<'/notifications'> = {
  'notification:list': nothing,
  'notification:seen': nothing,
  'notification:read': () => ({ ids: [NO_NOTIFICATION] }),
  'notification:archive': () => ({ ids: [NO_NOTIFICATION] }),
  'preference:get': nothing,
  'preference:set': (cell) => ({ ...inRoom(cell), level: 'none' }),
  'preference:set of a kind': () => ({ kind: 'reply', channels: { push: false } }),
  'auth:refresh': ownToken,
  "auth:refresh another's": anothersToken,
};

/** A namespace refuses at the door: only administrators get as far as acting on somebody. */
const onNewUser = async ({ newUser }: Cell) => ({ userId: (await newUser()).user.id, reason });
const onRoom = ({ roomId }: Cell) => ({ roomId, reason });

const admin: Examples<'/admin'> = {
  'announcement:send': () => ({ title: 'Maintenance', body: 'Tonight', reason }),
  'user:disconnect': onNewUser,
  'user:suspend': onNewUser,
  'user:suspend oneself': ({ session }) => ({ userId: session?.user.id ?? '', reason }),
  'user:resume': onNewUser,
  'user:role': async (cell) => ({ ...(await onNewUser(cell)), role: 'admin' }),
  'room:freeze': onRoom,
  'room:unfreeze': onRoom,
  'message:delete': ({ messageId }) => ({ messageId, reason }),
  'connection:list': nothing,
  'auth:refresh': ownToken,
};

export const COMMAND_EXAMPLES: { [N in NamespaceName]: Record<string, Example<object>> } = {
  '/chat': chat,
  '/presence': presence,
  '/notifications': notifications,
  '/admin': admin,
};
