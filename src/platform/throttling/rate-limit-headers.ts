import type { ServerResponse } from 'node:http';
import type { Quota, TellQuota } from './throttle.js';

/**
 * Puts the tightest of the limits one request meets into the `RateLimit-*` headers of its answer, be it granted or
 * refused. Windows slide, so `RateLimit-Reset` is when the next place is given back, not when all are.
 */
export function rateLimitHeaders(response: ServerResponse): TellQuota {
  let tightest: Quota | undefined;
  return (quota) => {
    if (tightest && tightest.remaining <= quota.remaining) return;
    tightest = quota;
    response.setHeader('RateLimit-Limit', quota.limit);
    response.setHeader('RateLimit-Remaining', quota.remaining);
    response.setHeader('RateLimit-Reset', Math.ceil(quota.resetMs / 1000));
  };
}
