/** How commands and events travel: the handshake, the acknowledgement, and the maps Socket.IO's generics take. */
import type { ChatCommands, ChatEvents } from './chat.js';
import type { WireError } from './errors.js';

/** `auth` of the handshake. The token may come as `Authorization: Bearer` instead, never in the query string. */
export interface Handshake {
  token?: string;
  protocol?: number;
  /** `/chat`: several new messages of a room may come as one `message:batch`. Default false; without meaning in the other namespaces. */
  batch?: boolean;
}

/** Every command is acknowledged exactly once. */
export type Ack<T> = ({ status: 'ok' } & T) | { status: 'error'; error: WireError };

type CommandMap = Record<string, { payload: unknown; result: unknown }>;

/** Socket.IO's listener map of a namespace's commands, for `Socket<Listen, Emit>`. */
export type CommandListeners<C extends { [K in keyof C]: CommandMap[string] }> = {
  [K in keyof C]: (payload: C[K]['payload'], ack?: (answer: Ack<C[K]['result']>) => void) => void;
};
/** Socket.IO's listener map of a namespace's events. */
export type EventListeners<E> = { [K in keyof E]: (payload: E[K]) => void };

export type ChatCommandListeners = CommandListeners<ChatCommands>;
export type ChatEventListeners = EventListeners<ChatEvents>;
