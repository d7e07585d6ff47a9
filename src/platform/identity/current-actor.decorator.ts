import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Actor } from './actor.js';

/** A request after the HTTP guard: it carries the actor it was made by. */
export interface AuthenticatedRequest {
  actor?: Actor;
}

/** The actor of an HTTP request, put there by the guard. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!actor) throw new Error('CurrentActor used on a route that is open to everybody');
  return actor;
});

export const PUBLIC_ROUTE = 'parley:public';
/** A route that needs no token. Everything else does. */
export const Public = () => SetMetadata(PUBLIC_ROUTE, true);
