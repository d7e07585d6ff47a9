import { Inject, Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { CONNECT_ERRORS } from '../../contract/errors.js';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { AppError } from '../errors/app-error.js';
import type { RealtimeSocket } from './realtime-socket.js';

/** So many wait for each that is under way: they have their turn long before a client gives up. */
const WAITING_PER_PLACE = 10;
const LEAST_RETRY_MS = 1000;
const RETRY_SPREAD_MS = 4000;

/** Gives the place of a socket whose handshake is under way to the next. */
const places = new WeakMap<RealtimeSocket, () => void>();

/** The socket was refused, or its gateway has opened it: the next may enter. See `RealtimeGateway`. */
export function handshakeOver(socket: RealtimeSocket): void {
  places.get(socket)?.();
}

/**
 * The line at the door. Each handshake asks the database several times: when everybody comes back at once, a few at a
 * time are brought to `session:ready`, a bounded number waits, and the others are told to come a little later.
 */
@Injectable()
export class HandshakeLine {
  private readonly inPlace: LimitFunction;
  private readonly longest: number;

  constructor(@Inject(CONFIG) { limits }: Config) {
    this.inPlace = pLimit(limits.handshakes);
    this.longest = limits.handshakes * WAITING_PER_PLACE;
  }

  /** Resolves when it is the socket's turn. Its place is taken until `handshakeOver`, or until its transport closes. */
  async enter(socket: RealtimeSocket): Promise<void> {
    if (this.inPlace.pendingCount >= this.longest) throw busy();
    await new Promise<void>((admit) => {
      void this.inPlace(() => {
        admit();
        return stay(socket);
      });
    });
    if (hasLeft(socket)) throw busy();
  }
}

async function stay(socket: RealtimeSocket): Promise<void> {
  if (hasLeft(socket)) return;
  await new Promise<void>((resolve) => {
    const leave = () => {
      socket.conn.off('close', leave);
      places.delete(socket);
      resolve();
    };
    places.set(socket, leave);
    // A socket whose transport ends during its handshake never says `disconnect`.
    socket.conn.once('close', leave);
  });
}

const hasLeft = ({ conn }: RealtimeSocket): boolean => conn.readyState !== 'open';

function busy(): AppError {
  return new AppError('UNAVAILABLE', CONNECT_ERRORS.BUSY, {
    retryAfterMs: LEAST_RETRY_MS + Math.random() * RETRY_SPREAD_MS,
  });
}
