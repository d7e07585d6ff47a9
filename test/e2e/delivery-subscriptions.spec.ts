import type { Page, PushKey, PushSubscription } from '../../src/contract/rest.js';
import type { Actor } from '../harness/actor.js';
import { PushService, type TestBrowser } from '../harness/push-service.js';
import { TestServer } from '../harness/server.js';

async function subscribes(actor: Actor, browser: TestBrowser): Promise<PushSubscription> {
  const { status, body } = await actor.rest('POST', '/push-subscriptions', browser.subscription);
  expect(status).toBe(201);
  return body as PushSubscription;
}

async function subscriptionsOf(actor: Actor): Promise<PushSubscription[]> {
  return ((await actor.rest('GET', '/push-subscriptions')).body as Page<PushSubscription>).data;
}

describe('push subscriptions', () => {
  let service: PushService;
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;

  beforeAll(async () => {
    service = await PushService.start();
    server = await TestServer.start({ PUSH_PRIVATE_ENDPOINTS: 'true' });
    [alice, bob] = await server.actors('alice', 'bob');
  });
  afterEach(async () => {
    for (const actor of [alice, bob])
      for (const { id } of await subscriptionsOf(actor))
        await actor.rest('DELETE', `/push-subscriptions/${id}`);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
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
