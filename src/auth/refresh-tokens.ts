import { Inject, Injectable } from '@nestjs/common';
import { SECRETS, type Secrets } from '../platform/config/secrets.js';
import { derivedKey, mac, sameMac } from '../platform/config/derived-key.js';

export interface RefreshToken {
  readonly sessionId: string;
  readonly generation: number;
}

/** `<sid>.<generation>.<mac>`; 43 characters are 32 bytes in base64url. */
const SHAPE = /^([0-9a-f-]{36})\.([1-9]\d{0,8})\.([\w-]{43})$/;

/**
 * Writes and reads refresh tokens. They are computed, never stored: a copy of the database signs nobody in,
 * and the same successor can be handed out twice.
 */
@Injectable()
export class RefreshTokens {
  private readonly key: Buffer;

  constructor(@Inject(SECRETS) secrets: Secrets) {
    this.key = derivedKey(secrets, 'refresh tokens');
  }

  write({ sessionId, generation }: RefreshToken): string {
    const text = `${sessionId}.${String(generation)}`;
    return `${text}.${mac(this.key, text)}`;
  }

  /** Nothing when it is not a token we wrote. */
  read(token: string): RefreshToken | undefined {
    const [, sessionId, digits, given] = SHAPE.exec(token) ?? [];
    if (sessionId === undefined || digits === undefined || given === undefined) return undefined;
    if (!sameMac(given, mac(this.key, `${sessionId}.${digits}`))) return undefined;
    return { sessionId, generation: Number(digits) };
  }
}

export type Verdict = 'current' | 'repeated' | 'reused' | 'unknown';

/**
 * What a presented generation means. The one before the current, just after the rotation, is a second tab or a lost
 * answer and gets the same successor. Anything older was used by two parties: one of them stole it.
 * A newer one than ours exists only when the database was restored from a backup; that is nobody's theft.
 */
export function judge(presented: number, current: number, rotatedJustNow: boolean): Verdict {
  if (presented === current) return 'current';
  if (presented > current) return 'unknown';
  return presented === current - 1 && rotatedJustNow ? 'repeated' : 'reused';
}
