import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { toAppError } from '../errors/to-app-error.js';
import type { Command } from './command.js';

/** Answers a refused or failed command with its `WireError`. Defects are logged under the request id and not explained. */
@Catch()
export class RealtimeExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Realtime');

  catch(exception: unknown, host: ArgumentsHost): void {
    // Nest hands a handler's arguments through: socket, payload, and the command our dispatcher added.
    const command = host.getArgByIndex<Command>(2);
    const error = toAppError(exception);
    if (error.code === 'INTERNAL') {
      this.logger.error(
        { requestId: command.requestId, command: command.event, err: exception },
        'A command failed',
      );
    }
    command.fail(error);
  }
}
