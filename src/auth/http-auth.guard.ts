import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { type AuthenticatedRequest, PUBLIC_ROUTE } from '../platform/identity/current-actor.decorator.js';
import { Authenticator } from './authenticator.js';

/** Every route needs a token unless it says `@Public()`. Sockets are authenticated at their handshake and pass. */
@Injectable()
export class HttpAuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    if (context.getType() !== 'http') return true;
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, [context.getHandler(), context.getClass()]))
      return true;
    return this.authenticate(context);
  }

  private async authenticate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<Request & AuthenticatedRequest>();
    request.actor = await this.authenticator.authenticate(bearer(request.headers.authorization));
    return true;
  }
}

/** Only from the header: addresses end up in logs, histories and referrers. */
function bearer(header: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
}
