import { AsyncLocalStorage } from 'node:async_hooks';

const requestIds = new AsyncLocalStorage<string>();

/** Runs a request or a command under the id its log lines and its refusal carry. */
export function runWithRequestId<T>(requestId: string, work: () => T): T {
  return requestIds.run(requestId, work);
}

/** Of the request or command this code runs for; nothing where the server acts by itself. */
export function currentRequestId(): string | undefined {
  return requestIds.getStore();
}
