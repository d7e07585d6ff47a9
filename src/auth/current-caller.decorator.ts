import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { addressKey } from '../platform/throttling/address-key.js';
import { rateLimitHeaders } from '../platform/throttling/rate-limit-headers.js';
import type { Caller } from './caller.js';

/** The caller of an open route. Behind proxies the address is the one `TRUST_PROXY` lets through. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const http = context.switchToHttp();
  const request = http.getRequest<Request>();
  return {
    address: addressKey(request.ip),
    userAgent: request.headers['user-agent']?.slice(0, 200) ?? null,
    tellQuota: rateLimitHeaders(http.getResponse<Response>()),
  };
});
