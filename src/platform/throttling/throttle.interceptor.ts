import { Injectable, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import type { AuthenticatedRequest } from '../identity/current-actor.decorator.js';
import type { RealtimeSocket } from '../realtime/realtime-socket.js';
import { AdmissionInterceptor } from './admission.interceptor.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { Throttle, type TellQuota, type ThrottleScope } from './throttle.js';

const SCOPES = 'parley:throttle';

/** Further limits of a handler, counted per user, beside the one on all commands. */
export const Throttled = (...scopes: ThrottleScope[]) => SetMetadata(SCOPES, scopes);

/**
 * Throttles sockets and REST alike: all commands of a connection (or all requests of a user), then the
 * handler's own scopes per user. Runs before validation, so bad input counts too.
 */
@Injectable()
export class ThrottleInterceptor extends AdmissionInterceptor {
  constructor(private readonly throttle: Throttle) {
    super();
  }

  admit(context: ExecutionContext): void | Promise<void> {
    const caller = callerOf(context);
    return caller && this.checkFrom(0, scopesOf(context.getHandler()), caller);
  }

  /** One limit after the other: what the first refuses does not count for the next. */
  private checkFrom(first: number, scopes: readonly ThrottleScope[], caller: Caller): void | Promise<void> {
    for (let index = first; index < scopes.length; index++) {
      const scope = scopes[index] as ThrottleScope;
      const subject = scope === ALL ? caller.connection : caller.userId;
      const checked = this.throttle.check(scope, subject, caller.tell);
      if (checked) return checked.then(() => this.checkFrom(index + 1, scopes, caller));
    }
  }
}

const ALL: ThrottleScope = 'commands';
/** Metadata does not change, and looking it up takes longer than counting. */
const scopesOfHandlers = new WeakMap<object, readonly ThrottleScope[]>();

function scopesOf(handler: object): readonly ThrottleScope[] {
  let scopes = scopesOfHandlers.get(handler);
  if (!scopes) {
    const own = Reflect.getMetadata(SCOPES, handler) as ThrottleScope[] | undefined;
    scopesOfHandlers.set(handler, (scopes = [ALL, ...(own ?? [])]));
  }
  return scopes;
}

interface Caller {
  connection: string;
  userId: string;
  /** Over REST the limits stand in the answer's headers. */
  tell?: TellQuota;
}

function callerOf(context: ExecutionContext): Caller | undefined {
  if (context.getType() === 'ws') {
    const { data } = context.switchToWs().getClient<RealtimeSocket>();
    return { connection: data.connectionId, userId: data.actor.userId };
  }
  // Open routes have limits of their own, by address and account.
  const http = context.switchToHttp();
  const { actor } = http.getRequest<AuthenticatedRequest>();
  return (
    actor && {
      connection: actor.userId,
      userId: actor.userId,
      tell: rateLimitHeaders(http.getResponse<Response>()),
    }
  );
}
