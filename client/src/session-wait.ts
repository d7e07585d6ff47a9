import type { CommandOptions } from './command-queue.js';
import type { ConnectionSignals, Session } from './connection-state.js';
import { ParleyError } from './errors.js';
import type { TypedEmitter } from './typed-emitter.js';

/** What the wait for a session asks the connection. */
interface SessionSource {
  signals: TypedEmitter<ConnectionSignals>;
  currentSession: Session | undefined;
  /** Why the newest attempt came to nothing. */
  lastFailure: ParleyError | undefined;
  closedError: () => ParleyError;
}

/** Resolves with the session as soon as the connection is `connected`; rejects when it is closed, by time and by signal. */
export function nextSession(
  source: SessionSource,
  { signal, timeoutMs }: CommandOptions = {},
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      unsubscribe();
    };
    const fail = (error: ParleyError) => {
      settle();
      reject(error);
    };
    const abort = () => {
      fail(new ParleyError('ABORTED', 'the wait for a connection was aborted', { cause: signal?.reason }));
    };
    const unsubscribe = source.signals.on('state', ({ state }) => {
      const { currentSession } = source;
      if (state === 'closed') fail(source.closedError());
      else if (state === 'connected' && currentSession !== undefined) {
        settle();
        resolve(currentSession);
      }
    });
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const cause = source.lastFailure;
            fail(new ParleyError('TIMEOUT', `not connected within ${String(timeoutMs)} ms`, { cause }));
          }, timeoutMs);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
