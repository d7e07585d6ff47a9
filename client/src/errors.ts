import { ERRORS, type ErrorCode, type ErrorDetail, type WireError } from '../../src/contract/errors.js';

/**
 * Codes this library adds to those of the server:
 * `TIMEOUT` (no answer in time; the command may have been carried out), `DISCONNECTED` (the connection was lost
 * before the answer; it may have been carried out), `CLOSED` (the client or the room handle is closed),
 * `ABORTED` (by the caller's signal, which is the error's `cause`).
 */
export type LocalErrorCode = 'TIMEOUT' | 'DISCONNECTED' | 'CLOSED' | 'ABORTED';

const RETRYABLE_LOCALLY: Record<LocalErrorCode, boolean> = {
  TIMEOUT: true,
  DISCONNECTED: true,
  CLOSED: false,
  ABORTED: false,
};

interface ErrorFields {
  retryable?: boolean;
  retryAfterMs?: number;
  details?: ErrorDetail[];
  requestId?: string;
  cause?: unknown;
}

/** The one error this library rejects with: a refusal of the server, or one of the local codes. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ErrorCode | LocalErrorCode;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Milliseconds to wait before a retry can succeed. */
  readonly retryAfterMs?: number;
  /** What is wrong with the input, with `VALIDATION_FAILED`. */
  readonly details: readonly ErrorDetail[];
  /** The id under which the server logged the request; absent with local codes. */
  readonly requestId?: string;

  constructor(code: ErrorCode | LocalErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.retryable =
      fields.retryable ??
      (code in ERRORS ? ERRORS[code as ErrorCode].retryable : RETRYABLE_LOCALLY[code as LocalErrorCode]);
    this.retryAfterMs = fields.retryAfterMs;
    this.details = fields.details ?? [];
    this.requestId = fields.requestId;
  }

  static fromWire(error: WireError): ParleyError {
    const problems = (error.details ?? []).map(({ path, problem }) => `${path} ${problem}`);
    const message = problems.length === 0 ? error.message : `${error.message}: ${problems.join('; ')}`;
    return new ParleyError(error.code, message, error);
  }

  /** Whatever was thrown, as a `ParleyError`. */
  static from(error: unknown): ParleyError {
    if (error instanceof ParleyError) return error;
    return new ParleyError('UNAVAILABLE', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

/** Whether a value that came over the wire is a refusal. */
export const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'string' &&
  'message' in value;

/** Refusals after which a room is not the user's any more. */
export const saysNotInRoom = (error: ParleyError): boolean =>
  error.code === 'NOT_FOUND' ||
  error.code === 'NOT_A_MEMBER' ||
  error.code === 'FORBIDDEN' ||
  error.code === 'BANNED';
