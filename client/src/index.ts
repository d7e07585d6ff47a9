/** `@parley/client`: the typed client of a Parley server. The wire's types and constants stand in `@parley/client/contract`. */
export { createClient, ParleyClient } from './client.js';
export type { ClientEvents, ClientOptions } from './client.js';
export type { CommandOptions } from './command-queue.js';
export type { CloseReason, ConnectionState, Session, StateChange } from './connection.js';
export { ParleyError } from './errors.js';
export type { LocalErrorCode } from './errors.js';
export type { OutgoingMessage, SendOptions } from './outgoing.js';
export { RoomHandle } from './room.js';
export type { RoomEvents, RoomStatus } from './room.js';
export { register, signIn } from './sign-in.js';
export type { Account, SignIn } from './sign-in.js';
export type { Timing } from './timing.js';
export type { Unsubscribe } from './typed-emitter.js';
export type { Typist } from './typing.js';
export type { Message, ReadState, Room, RoomSummary, Member, User } from '../../src/contract/views.js';
export type { SentMessage } from '../../src/contract/chat.js';
