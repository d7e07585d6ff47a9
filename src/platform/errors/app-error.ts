import { ERRORS, type ErrorCode, type ErrorDetail, type WireError } from '../../contract/errors.js';

export interface AppErrorOptions {
  retryAfterMs?: number;
  details?: ErrorDetail[];
  /** For the log only; never sent. */
  cause?: unknown;
}

/** The one error that reaches a client: a code of the closed table and a sentence without any of the input in it. */
export class AppError extends Error {
  readonly retryAfterMs: number | undefined;
  readonly details: ErrorDetail[] | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** A refusal for one field of the input. */
  static invalid(path: string, problem: string): AppError {
    return new AppError('VALIDATION_FAILED', 'The input is not valid', { details: [{ path, problem }] });
  }

  toWire(requestId: string): WireError {
    return {
      code: this.code,
      message: this.message,
      retryable: ERRORS[this.code].retryable,
      ...(this.retryAfterMs !== undefined && { retryAfterMs: Math.ceil(this.retryAfterMs) }),
      ...(this.details && { details: this.details }),
      requestId,
    };
  }
}
