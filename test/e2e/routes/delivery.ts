import { createECDH, ECDH } from 'node:crypto';
import {
  matching,
  needed,
  objectOf,
  optional,
  orNull,
  uuid,
  withEdges,
  type Accepts,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import type { Routes } from './route.js';

const ENDPOINT = 'https://push.invalid/';
const browser = createECDH('prime256v1');
const publicKey = browser.generateKeys('base64url');
const bytesOf = (value: unknown) =>
  typeof value === 'string' && /^[A-Za-z0-9_-]+={0,2}$/.test(value)
    ? Buffer.from(value, 'base64url')
    : Buffer.of();

const isPublicKey = withEdges(
  (value) => {
    try {
      return bytesOf(value).length === 65 && ECDH.convertKey(bytesOf(value), 'prime256v1').length > 0;
    } catch {
      return false;
    }
  },
  [
    Buffer.alloc(64, 4).toString('base64url'),
    Buffer.alloc(65, 4).toString('base64url'),
    Buffer.alloc(65).toString('base64'),
  ],
);
const isSecret = withEdges(
  (value) => bytesOf(value).length === 16,
  [15, 16, 17].map((length) => Buffer.alloc(length, 1).toString('base64url')),
);
const isEndpoint: Accepts = withEdges(matching(/^https:\/\/push\.invalid\/a+$/), [
  `${ENDPOINT}${'a'.repeat(2047)}`.slice(0, 2048),

  'http://push.invalid/a',
  'ftp://push.invalid/a',
  'https://127.0.0.1/a',
  'https://[::1]/a',
  'https://[::ffff:10.0.0.1]/a',
  'https://2130706433/a',
  'https://u:p@push.invalid/a',
  'javascript:alert(1)',
  'file:///etc/passwd',
  '//push.invalid/a',
]);

export function deliveryRoutes(_world: World): Routes {
  return {
    'GET /api/v1/push-subscriptions/key': {},
    'GET /api/v1/push-subscriptions': {},
    'POST /api/v1/push-subscriptions': {
      body: {
        endpoint: needed(`${ENDPOINT}a`, isEndpoint),
        keys: needed(
          { p256dh: publicKey, auth: Buffer.alloc(16, 1).toString('base64url') },
          objectOf({
            p256dh: needed(publicKey, isPublicKey),
            auth: needed(Buffer.alloc(16, 1).toString('base64url'), isSecret),
          }),
        ),
        expirationTime: optional(
          null,
          orNull((value) => typeof value === 'number'),
        ),
      },
    },
    'DELETE /api/v1/push-subscriptions/:subscriptionId': {
      path: { subscriptionId: needed('01980000-0000-7000-8000-000000000001', uuid) },
      status: 404,
    },
    'GET /api/v1/notification-preferences/email': {},
    // The server of these tests sends no mail.
    'PUT /api/v1/notification-preferences/email': {
      body: {
        address: needed(
          'alice@example.com',
          withEdges(matching(/^[a-z]{1,60}@example\.com$/), [
            'alice',
            'alice@',
            '@example.com',
            'alice@example',
            'Alice <alice@example.com>',
            'alice@example.com, bob@example.com',
            'alice@example.com\r\nBcc: bob@example.com',
            `${'a'.repeat(250)}@example.com`,
          ]),
        ),
      },
      status: 403,
    },
    'DELETE /api/v1/notification-preferences/email': {},
    'GET /email/confirm': { html: true },
    'POST /email/confirm': { html: true },
    'GET /email/unsubscribe': { html: true },
    'POST /email/unsubscribe': { html: true },
  };
}
