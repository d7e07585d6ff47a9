import { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import type { Page, PushSubscription } from '../../src/contract/rest.js';
import { Jobs } from '../../src/platform/jobs/jobs.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
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

/** Resolves when so many pushes are in one of these states. */
async function jobs(server: TestServer, states: string, n: number): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const [row] = await server.app
      .get(DataSource)
      .query<{ n: number }[]>(
        `SELECT count(*)::int AS n FROM pgboss.job WHERE name LIKE 'push%' AND state ${states}`,
      );
    if (row?.n === n) return;
    if (performance.now() > deadline)
      throw new Error(`Waited for ${String(n)} pushes ${states}; there are ${String(row?.n)}`);
  }
}

const nothingUnderWay = (server: TestServer): Promise<void> => jobs(server, "< 'completed'", 0);

describe('web push', () => {
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  let room: string;

  let people = 0;
  const before = new Map<string, number>();

  beforeAll(async () => {
    server = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '0' });
  });
  beforeEach(async () => {
    people++;
    [alice, bob] = await server.actors(`alice${String(people)}`, `bob${String(people)}`);
    room = await alice.startsDirectWith(bob);
    await nothingUnderWay(server);
    const text = await server.app.get(Metrics, { strict: false }).text();
    for (const [, series = '', count] of text.matchAll(/^(parley_(?:push|jobs)_total\{.*\}) (\d+)$/gm))
      before.set(series, Number(count));
  });
  afterAll(() => server.stop());

  /** Resolves when this test has made so many of them. */
  const made = (series: string, n: number): Promise<void> =>
    counted(server, series, (before.get(series) ?? 0) + n);
  const pushed = (result: string, n: number): Promise<void> =>
    made(`parley_push_total{result="${result}"}`, n);

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
    await pushed('sent', 2);
    expect(service.all(hers)).toEqual([]);
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
    await pushed('gone', 1);
    expect((await subscriptionsOf(bob)).map(({ id }) => id)).toEqual([kept.id]);
  });

  it('500 is tried again and told once', async () => {
    const [failing, here] = [service.browser(), service.browser()];
    await subscribes(bob, failing);
    await subscribes(bob, here);
    service.answersTo(failing, { status: 500 }, { status: 503 });
    await alice.sends(room, 'hello');
    await service.delivered(failing);
    await pushed('sent', 2);
    await pushed('failed', 2);
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
    await pushed('failed', 1);
    await made('parley_jobs_total{queue="push",result="dead"}', 1);
    const queues = server.app.get(Jobs, { strict: false });
    const dead = await queues.dead('push', undefined, 10);
    expect(dead).toMatchObject([{ attempts: 1, data: { userId: bob.id } }]);
    expect(dead[0]?.error).toContain('413');
    expect(JSON.stringify(dead)).not.toContain(browser.path);
    expect((await subscriptionsOf(bob))[0]?.failedAt).toBeDefined();
    // Put back by an administrator, it goes out.
    await queues.retry(undefined, dead[0]?.id ?? '');
    await service.delivered(browser);
  });

  /** They are walked page by page, and a page is 200. */
  it('an announcement reaches the browsers of everybody, 250 of them, each once', async () => {
    const root = await server.administrator();
    const browsers = Array.from({ length: 250 }, () => service.browser());
    const rows = browsers.map(({ subscription: { endpoint, keys } }, n) => ({
      id: uuid(),
      user_id: (n % 2 ? alice : bob).id,
      endpoint,
      ...keys,
    }));
    await server.app.get(DataSource).query(
      `INSERT INTO push_subscriptions (id, user_id, endpoint, p256dh, auth)
       SELECT id, user_id, endpoint, p256dh, auth FROM json_populate_recordset(NULL::push_subscriptions, $1)`,
      [JSON.stringify(rows)],
    );
    await root.admin.connect();
    await root.admin.does('announcement:send', { title: 'Maintenance', body: 'At noon', reason: 'planned' });
    for (const browser of browsers) await service.delivered(browser);
    await nothingUnderWay(server);
    const told = browsers.map((browser) => service.all(browser).map(({ kind, title }) => [kind, title]));
    expect(told).toEqual(browsers.map(() => [['announcement', 'Maintenance']]));
  });
});

interface Story {
  room: string;
  alice: Actor;
  bob: Actor;
  browser: TestBrowser;
}

describe('web push that waits a moment', () => {
  let server: TestServer;
  let root: Actor;

  beforeAll(async () => {
    server = await TestServer.start({ ...ENVIRONMENT, PUSH_DELAY_SECONDS: '1' });
    root = await server.administrator();
    await root.admin.connect();
  });
  afterAll(() => server.stop());

  async function story(n = 0): Promise<Story> {
    const [alice, bob] = await server.actors(`alice${String(n)}`, `bob${String(n)}`);
    const browser = service.browser();
    await subscribes(bob, browser);
    await bob.notifications.connect();
    return { alice, bob, room: await alice.startsDirectWith(bob), browser };
  }

  /** What the meantime brings makes the push needless: it ends without having been sent. */
  const MEANWHILE: Record<string, (story: Story) => Promise<unknown>> = {
    'the message was read': ({ bob, room }) => bob.does('message:read', { roomId: room, seq: 1 }),
    'the notification was archived': ({ bob }) => {
      const ids = bob.notifications.got('notification:new').map(({ id }) => id);
      return bob.notifications.does('notification:archive', { ids });
    },
    'the room was muted': ({ bob, room }) =>
      bob.notifications.does('preference:set', { roomId: room, level: 'none' }),
    'the channel was switched off': ({ bob }) =>
      bob.notifications.does('preference:set', { kind: 'direct', channels: { push: false } }),
    'quiet hours have begun': ({ bob }) => {
      const [from, to] = [-1, 1].map((hours) =>
        new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16),
      );
      return bob.notifications.does('preference:set', {
        quietHours: { from: from ?? '', to: to ?? '', timeZone: 'Etc/UTC' },
      });
    },
    'the user was suspended': ({ bob }) =>
      root.admin.does('user:suspend', { userId: bob.id, reason: 'spam' }),
    'the message was deleted': ({ alice, bob }) => {
      const messageId = bob.notifications.got('notification:new')[0]?.messageId ?? '';
      return alice.does('message:delete', { messageId });
    },
    'the browser unsubscribed': async ({ bob }) => {
      const [subscription] = await subscriptionsOf(bob);
      return bob.rest('DELETE', `/push-subscriptions/${String(subscription?.id)}`);
    },
  };

  /** Side by side, because each of them has to wait. */
  it(`is not sent when meanwhile ${Object.keys(MEANWHILE).join(', or ')}`, async () => {
    const browsers = new Map<string, TestBrowser>();
    for (const [n, [what, happens]] of Object.entries(MEANWHILE).entries()) {
      const here = await story(n + 1);
      browsers.set(what, here.browser);
      await here.alice.sends(here.room, 'hello');
      await here.bob.notifications.receives('notification:new');
      await happens(here);
    }
    const told = (): string[] =>
      [...browsers].filter(([, browser]) => service.all(browser).length > 0).map(([what]) => what);
    await pushes(server, 'skipped', browsers.size).catch((error: unknown) => {
      throw new Error(`Told although: ${told().join(', ')}`, { cause: error });
    });
    expect(told()).toEqual([]);
  });

  it('tells a burst once, with its count', async () => {
    const { alice, room, browser } = await story(20);
    for (const text of ['one', 'two', 'three']) await alice.sends(room, text);
    expect((await service.delivered(browser)).payload).toMatchObject({ body: 'three', count: 3 });
    await pushes(server, 'sent', 1);
    expect(service.all(browser)).toHaveLength(1);
  });

  /** The notification grows while the push service thinks: a newer push waits already when the patience is asked for. */
  it('that is asked for patience has the newer push of the same notification wait as well', async () => {
    const { alice, bob, room, browser } = await story(30);
    let answer: () => void = () => undefined;
    const after = new Promise<void>((resolve) => (answer = resolve));
    service.answersTo(browser, { status: 429, headers: { 'retry-after': '3' }, after });
    await alice.sends(room, 'one');
    await service.inbox.find('attempt', { path: browser.path, status: 429 });
    await alice.sends(room, 'two');
    await bob.notifications.receives('notification:updated');
    await jobs(server, "= 'created'", 1);
    const refusedAt = performance.now();
    answer();
    expect((await service.delivered(browser)).payload).toMatchObject({ body: 'two', count: 2 });
    expect(performance.now() - refusedAt).toBeGreaterThan(2800);
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
