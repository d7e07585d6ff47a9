import type { ChatEvent, ChatEvents } from '../../src/contract/chat.js';
import type { ClosingCode, ErrorCode } from '../../src/contract/errors.js';

/**
 * `idle`: not connected yet. `connecting`: the first attempts. `connected`: the session is ready.
 * `reconnecting`: lost, coming back. `offline`: several attempts failed or the device has no network; it goes on trying.
 * `closed`: it will not come back by itself.
 */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'closed';
/** Why it is closed: by `close()`, by the server's `session:closing`, or by a refused handshake. */
export type CloseReason = 'BY_CLIENT' | ClosingCode | ErrorCode;
export interface StateChange {
  state: ConnectionState;
  /** With `closed`. */
  reason?: CloseReason;
}
export type Session = ChatEvents['session:ready'];

export type AnyEvent = { [K in ChatEvent]: { event: K; payload: ChatEvents[K] } }[ChatEvent];
export interface ConnectionSignals {
  state: StateChange;
  /** Another person than before is signed in: nothing that is known is theirs. Runs before the state is `connected`. */
  otherUser: Session;
  /** The session is ready. Runs before waiting commands leave. */
  ready: Session;
  event: AnyEvent;
}
