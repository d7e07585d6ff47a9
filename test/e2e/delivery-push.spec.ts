import type { Page, PushKey, PushSubscription } from '../../src/contract/rest.js';
import { Jobs } from '../../src/platform/jobs/jobs.js';
import type { Actor } from '../harness/actor.js';
import { counted } from '../harness/counted.js';
import { createTestDatabase, type TestDatabase } from '../harness/database.js';
import { PushService, type TestBrowser } from '../harness/push-service.js';
import { TestServer } from '../harness/server.js';

const ENVIRONMENT = { PUSH_PRIVATE_ENDPOINTS: 'true', DELIVERY_RETRY_SECONDS: '0' };

jest.setTimeout(60_000);

let service: PushService;
beforeAll(async () => {
  service = await PushService.start();
});
afterAll(() => service.stop());

async function subscribes(actor: Actor, browser: TestBrowser): Promise<PushSubscription> {
  const { status, body } = await actor.rest('POST', '/push-subscriptions', browser.subscription);
  expect(status).toBe(201);
  return body as PushSubscription;
}

async function subscriptionsOf(actor: Actor): Promise<PushSubscription[]> {
  return ((await actor.rest('GET', '/push-subscriptions')).body as Page<PushSubscription>).data;
}

const pushes = (server: TestServer, result: string, n: number): Promise<void> =>
  counted(server, `parley_push_total{result="${result}"}`, n);

describe('web push', () => {
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  let room: string;

  beforeEach(async () => {
    server = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '0' });
    [alice, bob] = await server.actors('alice', 'bob');
    room = await alice.startsDirectWith(bob);
  });
  afterEach(() => server.stop());

  it('tells a direct message in each browser of its reader, encrypted for it, and nobody else', async () => {
    const [phone, laptop, hers] = [service.browser(), service.browser(), service.browser()];
    await subscribes(bob, phone);
    await subscribes(bob, laptop);
    await subscribes(alice, hers);
    const { messageId } = await alice.sends(room, 'are you there?');
    for (const browser of [phone, laptop]) {
      const { payload, headers } = await service.delivered(browser);
      expect(payload).toMatchObject({
        kind: 'direct',
        body: 'are you there?',
        roomId: room,
        messageId,
        count: 1,
        unread: 1,
      });
      expect(headers).toMatchObject({ ttl: '86400', urgency: 'high', 'content-encoding': 'aes128gcm' });
      expect(headers.authorization).toMatch(/^vapid t=.+, k=.+/);
    }
    await pushes(server, 'sent', 2);
    expect(service.all(hers)).toEqual([]);
  });

  it('gives one key to everybody, and keeps endpoint and keys of a browser to itself', async () => {
    const answers = await Promise.all(
      [alice, bob].map((actor) => actor.rest('GET', '/push-subscriptions/key')),
    );
    const keys = answers.map(({ body }) => (body as PushKey).publicKey);
    expect(new Set(keys).size).toBe(1);
    expect(Buffer.from(keys[0] ?? '', 'base64url')).toHaveLength(65);
    const browser = service.browser();
    const made = await subscribes(bob, browser);
    const again = await subscribes(bob, browser);
    expect(again.id).toBe(made.id);
    const listed = await subscriptionsOf(bob);
    expect(listed).toEqual([{ ...again, service: new URL(browser.subscription.endpoint).host }]);
    for (const secret of [browser.path, browser.subscription.keys.auth, browser.subscription.keys.p256dh])
      expect(JSON.stringify(listed)).not.toContain(secret);
  });

  it('keeps the 20 newest, and lets nobody touch those of others', async () => {
    const made: string[] = [];
    for (let n = 0; n < 21; n++) made.push((await subscribes(bob, service.browser())).id);
    const ids = (await subscriptionsOf(bob)).map(({ id }) => id);
    expect(ids).toEqual(made.slice(1).reverse());
    const path = `/push-subscriptions/${String(made.at(-1))}`;
    expect((await alice.rest('DELETE', path)).status).toBe(404);
    expect((await bob.rest('DELETE', path)).status).toBe(204);
    expect((await bob.rest('DELETE', path)).status).toBe(404);
    expect(await subscriptionsOf(alice)).toEqual([]);
  });

  it('a browser that changes hands is told what concerns its present user only', async () => {
    const browser = service.browser();
    await subscribes(bob, browser);
    await subscribes(alice, browser);
    expect(await subscriptionsOf(bob)).toEqual([]);
    await alice.sends(room, 'for Bob');
    await bob.sends(room, 'for Alice');
    expect((await service.delivered(browser)).payload.body).toBe('for Alice');
  });

  it('410 removes the subscription; the other browser is told all the same', async () => {
    const [gone, here] = [service.browser(), service.browser()];
    await subscribes(bob, gone);
    const kept = await subscribes(bob, here);
    service.answersTo(gone, { status: 410 });
    await alice.sends(room, 'hello');
    await service.delivered(here);
    await pushes(server, 'gone', 1);
    expect((await subscriptionsOf(bob)).map(({ id }) => id)).toEqual([kept.id]);
  });

  it('500 is tried again and told once', async () => {
    const [failing, here] = [service.browser(), service.browser()];
    await subscribes(bob, failing);
    await subscribes(bob, here);
    service.answersTo(failing, { status: 500 }, { status: 503 });
    await alice.sends(room, 'hello');
    await service.delivered(failing);
    await pushes(server, 'sent', 2);
    await pushes(server, 'failed', 2);
    expect([service.all(failing), service.all(here)].map(({ length }) => length)).toEqual([1, 1]);
    expect((await subscriptionsOf(bob)).some(({ failedAt }) => failedAt !== undefined)).toBe(false);
  });

  it('waits as long as the push service asks for', async () => {
    const browser = service.browser();
    await subscribes(bob, browser);
    service.answersTo(browser, { status: 429, headers: { 'retry-after': '2' } });
    await alice.sends(room, 'hello');
    await service.inbox.find('attempt', { path: browser.path, status: 429 });
    const refusedAt = performance.now();
    await service.delivered(browser);
    expect(performance.now() - refusedAt).toBeGreaterThan(1800);
  });

  it('a refusal for good is dead at once, stands there without the endpoint, and the browser is marked', async () => {
    const browser = service.browser();
    await subscribes(bob, browser);
    service.answersTo(browser, { status: 413 });
    await alice.sends(room, 'hello');
    await pushes(server, 'failed', 1);
    const jobs = server.app.get(Jobs, { strict: false });
    await counted(server, 'parley_jobs_total{queue="push",result="dead"}', 1);
    const dead = await jobs.dead('push', undefined, 10);
    expect(dead).toMatchObject([{ attempts: 1, data: { userId: bob.id } }]);
    expect(dead[0]?.error).toContain('413');
    expect(JSON.stringify(dead)).not.toContain(browser.path);
    expect((await subscriptionsOf(bob))[0]?.failedAt).toBeDefined();
    // Put back by an administrator, it goes out.
    await jobs.retry(undefined, dead[0]?.id ?? '');
    await service.delivered(browser);
  });

  it('an announcement reaches the browsers of everybody', async () => {
    const root = await server.administrator();
    const browsers = [service.browser(), service.browser()];
    await subscribes(alice, browsers[0]!);
    await subscribes(bob, browsers[1]!);
    await root.admin.connect();
    await root.admin.does('announcement:send', { title: 'Maintenance', body: 'At noon', reason: 'planned' });
    for (const browser of browsers)
      expect((await service.delivered(browser)).payload).toMatchObject({
        kind: 'announcement',
        title: 'Maintenance',
      });
  });

  it.each([
    ['no URL', 'nonsense', 'endpoint'],
    ['another protocol', 'ftp://example.com/x', 'endpoint'],
    ['credentials', 'https://user:word@example.com/x', 'endpoint'],
    ['too long', `https://example.com/${'x'.repeat(2040)}`, 'endpoint'],
  ])('refuses an endpoint with %s', async (_what, endpoint, path) => {
    const { status, body } = await bob.rest('POST', '/push-subscriptions', {
      ...service.browser().subscription,
      endpoint,
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path }] });
  });

  it('refuses keys that are none', async () => {
    const { endpoint, keys } = service.browser().subscription;
    const notOnTheCurve = Buffer.alloc(65, 4).toString('base64url');
    for (const wrong of [
      { ...keys, p256dh: notOnTheCurve },
      { ...keys, p256dh: 'AAAA' },
      { ...keys, auth: 'AAAA' },
    ])
      expect((await bob.rest('POST', '/push-subscriptions', { endpoint, keys: wrong })).status).toBe(400);
  });
});

describe('web push that waits a moment', () => {
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  let room: string;
  let browser: TestBrowser;

  beforeEach(async () => {
    server = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '1' });
    [alice, bob] = await server.actors('alice', 'bob');
    room = await alice.startsDirectWith(bob);
    browser = service.browser();
    await subscribes(bob, browser);
    await bob.notifications.connect();
  });
  afterEach(() => server.stop());

  /** What the meantime brings makes the push needless: it ends without having been sent. */
  async function isNotTold(meanwhile: () => Promise<unknown>): Promise<void> {
    await alice.sends(room, 'hello');
    await bob.notifications.receives('notification:new');
    await meanwhile();
    await pushes(server, 'skipped', 1);
    expect(service.all(browser)).toEqual([]);
  }

  it('is not sent when the message was read meanwhile', () =>
    isNotTold(() => bob.does('message:read', { roomId: room, seq: 1 })));

  it('is not sent when the notification was archived meanwhile', () =>
    isNotTold(() => {
      const ids = bob.notifications.got('notification:new').map(({ id }) => id);
      return bob.notifications.does('notification:archive', { ids });
    }));

  it('is not sent when the room was muted meanwhile', () =>
    isNotTold(() => bob.notifications.does('preference:set', { roomId: room, level: 'none' })));

  it('is not sent when the channel was switched off meanwhile', () =>
    isNotTold(() => bob.notifications.does('preference:set', { kind: 'direct', channels: { push: false } })));

  it('is not sent when quiet hours have begun meanwhile', () =>
    isNotTold(() => {
      const [from, to] = [-1, 1].map((hours) =>
        new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16),
      );
      return bob.notifications.does('preference:set', {
        quietHours: { from: from ?? '', to: to ?? '', timeZone: 'Etc/UTC' },
      });
    }));

  it('is not sent when the user was suspended meanwhile', async () => {
    const root = await server.administrator();
    await root.admin.connect();
    await isNotTold(() => root.admin.does('user:suspend', { userId: bob.id, reason: 'spam' }));
  });

  it('is not sent when the message was deleted meanwhile', () =>
    isNotTold(() => {
      const messageId = bob.notifications.got('notification:new')[0]?.messageId ?? '';
      return alice.does('message:delete', { messageId });
    }));

  it('is not sent when the browser unsubscribed meanwhile', () =>
    isNotTold(async () => {
      const [subscription] = await subscriptionsOf(bob);
      return bob.rest('DELETE', `/push-subscriptions/${String(subscription?.id)}`);
    }));

  it('tells a burst once, with its count', async () => {
    for (const text of ['one', 'two', 'three']) await alice.sends(room, text);
    expect((await service.delivered(browser)).payload).toMatchObject({ body: 'three', count: 3 });
    await pushes(server, 'sent', 1);
    expect(service.all(browser)).toHaveLength(1);
  });
});

describe('a push that waits when the server ends', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('is sent by the next one, with the same VAPID key', async () => {
    const browser = service.browser();
    const first = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '2' }, database);
    const [alice, bob] = await first.actors('alice', 'bob');
    const room = await alice.startsDirectWith(bob);
    await subscribes(bob, browser);
    const key = (await bob.rest('GET', '/push-subscriptions/key')).body;
    await bob.notifications.connect();
    await alice.sends(room, 'before the end');
    await bob.notifications.receives('notification:new');
    await first.stop();
    expect(service.all(browser)).toEqual([]);
    const second = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '2' }, database);
    try {
      expect((await service.delivered(browser)).payload.body).toBe('before the end');
      const again = second.actor(await second.login('bob'));
      expect((await again.rest('GET', '/push-subscriptions/key')).body).toEqual(key);
    } finally {
      await second.stop();
    }
  });
});

describe('private endpoints, where they are not allowed', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ PUSH_DELAY_SECONDS: '0', DELIVERY_RETRY_SECONDS: '0' });
  });
  afterAll(() => server.stop());

  it('are refused when they show it, and at dial time when their name leads there', async () => {
    const [alice, bob] = await server.actors('alice', 'bob');
    const { subscription } = service.browser();
    for (const endpoint of [
      subscription.endpoint,
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://[::ffff:10.0.0.1]/x',
      'https://169.254.169.254/x',
      'https://2130706433/x',
    ])
      expect((await bob.rest('POST', '/push-subscriptions', { ...subscription, endpoint })).status).toBe(400);
    const { port } = new URL(subscription.endpoint);
    const attempts = service.inbox.all('attempt').length;
    await subscribes(bob, {
      path: '',
      subscription: { ...subscription, endpoint: `https://localhost:${port}/x` },
    });
    await alice.sends(await alice.startsDirectWith(bob), 'hello');
    await pushes(server, 'failed', 1);
    expect(service.inbox.all('attempt')).toHaveLength(attempts);
  });
});
