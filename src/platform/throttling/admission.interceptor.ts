import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';

/**
 * An interceptor that decides whether a call goes on, and does nothing with what it brings. REST runs it as Nest does;
 * commands of sockets call `admit` alone, so that no chain of rxjs stands on their way: see realtime/compiled-handler.ts.
 */
export abstract class AdmissionInterceptor implements NestInterceptor {
  /** Throws what the caller is refused with. Synchronous where it can be: it is asked for every command. */
  abstract admit(context: ExecutionContext): void | Promise<void>;

  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const admission = this.admit(context);
    return admission ? admission.then(() => next.handle()) : next.handle();
  }
}
