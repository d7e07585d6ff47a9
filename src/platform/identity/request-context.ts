import { AsyncLocalStorage } from 'node:async_hooks';
import { v7 as uuid } from 'uuid';

/** The id of one command, made when something first asks for it: most commands end without. */
export class RequestId {
  private made: string | undefined;

  get value(): string {
    return (this.made ??= uuid());
  }
}

const requestIds = new AsyncLocalStorage<string | RequestId>();

/** Runs a request or a command under the id its log lines and its refusal carry. */
export function runWithRequestId<T, A extends unknown[]>(
  requestId: string | RequestId,
  work: (...args: A) => T,
  ...args: A
): T {
  return requestIds.run(requestId, work, ...args);
}

/** Of the request or command this code runs for; nothing where the server acts by itself. */
export function currentRequestId(): string | undefined {
  const requestId = requestIds.getStore();
  return requestId instanceof RequestId ? requestId.value : requestId;
}
