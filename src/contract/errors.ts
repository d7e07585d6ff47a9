/**
 * The closed table of everything a command or a route can be refused with.
 * `status` is the HTTP status of the same refusal over REST; `retryable` says whether the same
 * request may succeed later without a change (for `TOKEN_EXPIRED`: after a refresh).
 */
export const ERRORS = {
  UNAUTHENTICATED: { status: 401, retryable: false },
  TOKEN_EXPIRED: { status: 401, retryable: true },
  SESSION_REVOKED: { status: 401, retryable: false },
  SUSPENDED: { status: 403, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  /** Of a public or announcement room; private and direct rooms answer `NOT_FOUND`. */
  NOT_A_MEMBER: { status: 403, retryable: false },
  /** A moderator took the right to write, in the room or everywhere; `details` say until when, if it ends. */
  MUTED: { status: 403, retryable: false },
  /** A moderator took the right to be in the room, or to write and join anywhere. */
  BANNED: { status: 403, retryable: false },
  /** Closed for writing by its owners. */
  ROOM_ARCHIVED: { status: 403, retryable: false },
  /** Closed for writing by an administrator. */
  ROOM_FROZEN: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  CONFLICT: { status: 409, retryable: false },
  VALIDATION_FAILED: { status: 400, retryable: false },
  UNKNOWN_EVENT: { status: 400, retryable: false },
  /** The same `clientMessageId` came before with another request. */
  IDEMPOTENCY_CONFLICT: { status: 422, retryable: false },
  /** A filter rule of the administrators forbids a word or a link. */
  CONTENT_REJECTED: { status: 422, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  UNSUPPORTED_MEDIA: { status: 415, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  SLOW_MODE: { status: 429, retryable: true },
  LIMIT_EXCEEDED: { status: 403, retryable: false },
  /** A defect of the server; `requestId` stands in its log. */
  INTERNAL: { status: 500, retryable: true },
  UNAVAILABLE: { status: 503, retryable: true },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One problem in the input. `path` is dotted from the payload's root, e.g. `mentions.3`; the value itself is never repeated. */
export interface ErrorDetail {
  path: string;
  problem: string;
}

/** The one shape of every refusal on a socket; REST answers the same fields as RFC 9457 `application/problem+json`. */
export interface WireError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  /** Milliseconds to wait before a retry can succeed. */
  retryAfterMs?: number;
  details?: ErrorDetail[];
  /** The id under which the server logged the request. */
  requestId: string;
}

/** The only texts `connect_error.message` takes; `connect_error.data` is a `WireError`. */
export const CONNECT_ERRORS = {
  UNAUTHENTICATED: 'Authentication required',
  INVALID_TOKEN: 'Invalid token',
  TOKEN_EXPIRED: 'Token expired',
  USER_NOT_FOUND: 'User not found',
  FORBIDDEN: 'Forbidden',
  BUSY: 'Server busy',
} as const;

export type ConnectErrorMessage = (typeof CONNECT_ERRORS)[keyof typeof CONNECT_ERRORS];

/** Why the server is about to close a socket, and whether the client should come back. */
export const CLOSINGS = {
  DRAIN: { reconnect: true },
  TOKEN_EXPIRED: { reconnect: true },
  TOO_MANY_REQUESTS: { reconnect: true },
  CONNECTION_LIMIT: { reconnect: true },
  /** Read more slowly than it was sent to. A WebSocket often breaks before this arrives; a polling client is told by its next request. */
  SLOW_CONSUMER: { reconnect: true },
  SESSION_REVOKED: { reconnect: false },
  SUSPENDED: { reconnect: false },
  /** Of `/admin` only, whose role is gone; the other namespaces of the connection stay open. */
  ROLE_CHANGED: { reconnect: false },
} as const;

export type ClosingCode = keyof typeof CLOSINGS;
