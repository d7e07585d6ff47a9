import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Secrets } from './secrets.js';

/** A key for one purpose: what is signed for one can never pass for another, and the secret itself only signs JWTs. */
export function derivedKey({ jwtSecret }: Secrets, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', jwtSecret, '', `parley ${purpose}`, 32));
}

/** HMAC-SHA256 as base64url. */
export function mac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Takes the same time wherever the two differ. */
export function sameMac(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
