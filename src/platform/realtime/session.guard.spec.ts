import type { ExecutionContext } from '@nestjs/common';
import type { SocketData } from './realtime-socket.js';
import { AllowExpired, SessionGuard } from './session.guard.js';

class Gateway {
  @AllowExpired()
  renew(): void {
    // Only asked about.
  }
  refreshAuth(): void {
    // The same.
  }
}

function contextOf(handler: () => void, data: { expiresInMs: number; closing?: SocketData['closing'] }) {
  const { expiresInMs, closing } = data;
  const client = { data: { actor: { expiresAt: Date.now() + expiresInMs }, closing } };
  return {
    getHandler: () => handler,
    switchToWs: () => ({ getClient: () => client }),
  } as unknown as ExecutionContext;
}

describe('SessionGuard', () => {
  const guard = new SessionGuard();
  const { renew, refreshAuth } = Gateway.prototype;

  /** It compared the name of the method: another handler of that name passed, and a renamed one was refused. */
  it('lets an expired identity use only what is marked for it, whatever its name', () => {
    expect(guard.canActivate(contextOf(renew, { expiresInMs: -1 }))).toBe(true);
    expect(() => guard.canActivate(contextOf(refreshAuth, { expiresInMs: -1 }))).toThrow('Token expired');
    expect(guard.canActivate(contextOf(refreshAuth, { expiresInMs: 1000 }))).toBe(true);
  });

  it('refuses everything on a socket that is being closed', () => {
    const closing = contextOf(renew, { expiresInMs: 1000, closing: 'SESSION_REVOKED' });
    expect(() => guard.canActivate(closing)).toThrow('This connection is being closed');
  });
});
