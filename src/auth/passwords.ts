import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import pLimit from 'p-limit';
import { AppError } from '../platform/errors/app-error.js';

/** Argon2id (the library's default algorithm) as OWASP's Password Storage Cheat Sheet gives it: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Each holds 19 MiB and a thread of libuv's four, which files and DNS need too. */
const AT_ONCE = 2;
const MOST_WAITING = 64;
const RETRY_AFTER_MS = 1000;
/** Hash of a random string nobody knows, at the same cost: an unknown username takes as long as a wrong password. */
const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$3R1oFca9PA8SkXW01U+Wbg$tjZcTgYwd7TIrtWKmIZdZLnyTufBof50gHOPI2hIP7I';

/** Hashes and checks passwords, a few at a time: a storm of sign-ins gets a waiting line, then UNAVAILABLE, never all the memory. */
@Injectable()
export class Passwords {
  private readonly slots = pLimit(AT_ONCE);

  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(normal(password), COST));
  }

  /** Without a hash the answer is no, after the same work. */
  async verify(stored: string | null | undefined, password: string): Promise<boolean> {
    const matches = await this.inTurn(() => verify(stored ?? NOBODY, normal(password)));
    return matches && stored !== null && stored !== undefined;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.slots.activeCount + this.slots.pendingCount >= AT_ONCE + MOST_WAITING)
      return Promise.reject(
        new AppError('UNAVAILABLE', 'Too many sign-ins at once', { retryAfterMs: RETRY_AFTER_MS }),
      );
    return this.slots(work);
  }
}

/** Keyboards differ in how they compose the same letter (NIST SP 800-63B, 5.1.1.2). */
function normal(password: string): string {
  return password.normalize('NFKC');
}
