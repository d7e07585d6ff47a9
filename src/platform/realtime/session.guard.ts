import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { CLOSINGS, type ClosingCode } from '../../contract/errors.js';
import { AppError } from '../errors/app-error.js';
import type { RealtimeSocket } from './realtime-socket.js';

const ALLOW_EXPIRED = 'parley:allow-expired';
/** A command that may come with an identity that has just expired: the one that renews it. */
export const AllowExpired = () => SetMetadata(ALLOW_EXPIRED, true);

/** Lets a command pass while the identity of its socket is valid. No I/O: revocation reaches the socket itself. */
@Injectable()
export class SessionGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const { data } = context.switchToWs().getClient<RealtimeSocket>();
    if (data.closing) throw refusalWhile(data.closing);
    // A socket is closed at its expiry by a timer; this is for the moment between.
    if (data.actor.expiresAt <= Date.now() && !Reflect.hasMetadata(ALLOW_EXPIRED, context.getHandler()))
      throw new AppError('TOKEN_EXPIRED', 'Token expired');
    return true;
  }
}

function refusalWhile(closing: ClosingCode): AppError {
  if (CLOSINGS[closing].reconnect)
    return new AppError('UNAVAILABLE', 'This connection is being closed: come again', { retryAfterMs: 1000 });
  const code =
    closing === 'SUSPENDED' ? closing : closing === 'ROLE_CHANGED' ? 'FORBIDDEN' : 'SESSION_REVOKED';
  return new AppError(code, 'This connection is being closed');
}
