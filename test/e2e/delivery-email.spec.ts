import { DataSource } from 'typeorm';
import { EmailAddressesRepository } from '../../src/delivery/email-addresses.repository.js';
import { Jobs } from '../../src/platform/jobs/jobs.js';
import type { Actor } from '../harness/actor.js';
import { counted } from '../harness/counted.js';
import { MailServer, type ArrivedMail } from '../harness/mail-server.js';
import { TestServer } from '../harness/server.js';

jest.setTimeout(60_000);

const ADDRESS = 'bob@example.com';
const PUBLIC = 'https://chat.example.com';
const SETTING = '/notification-preferences/email';

let mails: MailServer;
let server: TestServer;
let alice: Actor;
let bob: Actor;

beforeEach(async () => {
  mails = await MailServer.start();
  server = await TestServer.start({
    SMTP_URL: mails.url,
    EMAIL_FROM: 'Parley <parley@example.com>',
    PUBLIC_URL: PUBLIC,
    EMAIL_DIGEST_MINUTES: '0',
    DELIVERY_RETRY_SECONDS: '1',
  });
  [alice, bob] = await server.actors('alice', 'bob');
});
afterEach(async () => {
  await server.stop();
  await mails.stop();
});

const emails = (result: string, n: number) => counted(server, `parley_email_total{result="${result}"}`, n);

/** The link of a mail, at the server under test. */
function linkIn(text: string, purpose: 'confirm' | 'unsubscribe'): string {
  const found = new RegExp(`${PUBLIC}(/email/${purpose}\\?token=[\\w.-]+)`).exec(text)?.[1];
  if (!found) throw new Error(`No link in: ${text}`);
  return `${server.url}${found}`;
}

async function asks(address = ADDRESS): Promise<ArrivedMail> {
  const before = mails.mails.length;
  expect((await bob.rest('PUT', SETTING, { address })).body).toEqual({
    available: true,
    address,
    confirmed: false,
  });
  return mails.mail(before + 1);
}

async function confirms(): Promise<void> {
  const { text } = await asks();
  expect((await fetch(linkIn(text, 'confirm'), { method: 'POST' })).status).toBe(200);
}

const setting = async () => (await bob.rest('GET', SETTING)).body;

describe('the e-mail address', () => {
  it('is confirmed by the button behind the link, not by opening it', async () => {
    expect(await setting()).toEqual({ available: true, confirmed: false });
    const mail = await asks();
    expect(mail.to).toEqual([ADDRESS]);
    expect(mail.headers['from']).toBe('Parley <parley@example.com>');
    const link = linkIn(mail.text, 'confirm');
    expect(mail.html).toContain(new URL(link).search);
    const page = await fetch(link);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining(ADDRESS) as unknown]);
    expect(await setting()).toEqual({ available: true, address: ADDRESS, confirmed: false });
    for (let again = 0; again < 2; again++) expect((await fetch(link, { method: 'POST' })).status).toBe(200);
    expect(await setting()).toEqual({ available: true, address: ADDRESS, confirmed: true });
    // The same once more is answered, not mailed.
    expect((await bob.rest('PUT', SETTING, { address: ADDRESS })).body).toMatchObject({ confirmed: true });
    expect((await bob.rest('DELETE', SETTING)).status).toBe(204);
    expect(await setting()).toEqual({ available: true, confirmed: false });
    expect((await fetch(link, { method: 'POST' })).status).toBe(404);
    expect(mails.mails).toHaveLength(1);
  });

  it('a link is of no use for another address, another purpose, another user, or with another letter', async () => {
    const first = linkIn((await asks()).text, 'confirm');
    const second = linkIn((await asks('other@example.com')).text, 'confirm');
    const [own, mac] = (new URL(second).searchParams.get('token') ?? '').split('.');
    const at = (purpose: string, token: string) => `${server.url}/email/${purpose}?token=${token}`;
    const alices = Buffer.from(alice.id).toString('base64url');
    for (const wrong of [
      first,
      second.replace('/confirm', '/unsubscribe'),
      at('confirm', `${alices}.${String(mac)}`),
      at('confirm', `${String(own)}.${'A'.repeat(43)}`),
      at('confirm', String(own)),
      at('confirm', 'AA.AA'),
      at('confirm', ''),
      `${server.url}/email/confirm`,
      `${server.url}/email/confirm?token=a&token=b`,
      `${server.url}/email/confirm?token[x]=a`,
    ])
      for (const method of ['GET', 'POST']) {
        const answer = await fetch(wrong, { method });
        expect([wrong, answer.status, answer.headers.get('content-type')]).toEqual([
          wrong,
          404,
          'text/html; charset=utf-8',
        ]);
      }
    expect(await setting()).toMatchObject({ confirmed: false });
    expect((await fetch(second, { method: 'POST' })).status).toBe(200);
  });

  it('is asked for five times an hour at most', async () => {
    for (let n = 1; n <= 5; n++) await asks(`bob${String(n)}@example.com`);
    const { status, body } = await bob.rest('PUT', SETTING, { address: 'bob6@example.com' });
    expect([status, body]).toMatchObject([429, { code: 'RATE_LIMITED' }]);
    expect(await setting()).toMatchObject({ address: 'bob5@example.com' });
  });

  // One mailbox has many spellings: with each of them another user could have it mailed.
  it('is mailed five times an hour at most, however it is spelled and whoever asks', async () => {
    const spellings = [
      ADDRESS,
      'BOB@example.com',
      'bob+1@example.com',
      'Bob+two@Example.com',
      'bob+@EXAMPLE.com',
    ];
    for (const address of spellings) await asks(address);
    const { status } = await alice.rest('PUT', SETTING, { address: 'bob+6@example.com' });
    expect(status).toBe(429);
    expect(mails.mails).toHaveLength(5);
  });

  it.each([
    '',
    'bob',
    'bob@',
    'a@b.com, c@d.com',
    'Bob <bob@example.com>',
    'bob@example.com\r\nBcc: x@example.com',
    // A quoted local part takes anything: another header, too.
    '"a\r\nBcc: victim@example.com"@example.com',
    '"bob"@example.com',
    'bob\u0007@example.com',
    `${'a'.repeat(60)}@${`${'b'.repeat(60)}.`.repeat(4)}com`,
  ])('refuses %j', async (address) => {
    expect((await bob.rest('PUT', SETTING, { address })).status).toBe(400);
  });
});

describe('the digest', () => {
  it('tells what is unseen, once, with nothing of it taken for HTML or a header', async () => {
    await confirms();
    const room = await alice.startsDirectWith(bob);
    await alice.sends(room, 'Hello <b>Bob</b> & "all"\nBcc: everybody@example.com');
    const mail = await mails.mail(2);
    expect(mail.to).toEqual([ADDRESS]);
    expect(mail.headers).toMatchObject({
      subject: 'A notification you have not seen',
      'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
    });
    expect(mail.headers['bcc']).toBeUndefined();
    expect(mail.text).toContain('* alice\n  Hello <b>Bob</b> & "all" Bcc: everybody@example.com');
    expect(mail.html).toContain('Hello &lt;b&gt;Bob&lt;/b&gt; &amp; &quot;all&quot; Bcc');
    // What comes later is told without what was told.
    const [carol] = await server.actors('carol');
    await carol.sends(await carol.startsDirectWith(bob), 'and me');
    const next = await mails.mail(3);
    expect(next.text).toContain('* carol\n  and me');
    expect(next.text).not.toContain('Hello');
    expect(next.headers['message-id']).not.toBe(mail.headers['message-id']);
  });

  // Only the newest 200 were looked at, before those without e-mail were left out.
  it('finds what is told by e-mail behind however much that is not', async () => {
    await confirms();
    await alice.does('room:join', { roomId: 'muted', roomName: 'Muted' });
    await bob.does('room:join', { roomId: 'muted' });
    await bob.notifications.connect();
    await bob.notifications.does('preference:set', { roomId: 'muted', level: 'none' });
    await server.app.get(DataSource).query(
      `INSERT INTO notifications (id, user_id, kind, title, body, room_id, count, silent, grown_version, created_at, updated_at)
       SELECT gen_random_uuid(), $1, CASE WHEN n % 2 = 1 THEN 'mention' ELSE 'message' END, 'number ' || n, 'b',
              CASE WHEN n > 1 AND n % 2 = 1 THEN 'muted' END, 1, false, n, clock_timestamp(), clock_timestamp()
         FROM generate_series(1, 500) n`,
      [bob.id],
    );
    await alice.sends(await alice.startsDirectWith(bob), 'hello');
    const { text } = await mails.mail(2);
    expect(text).toContain('* number 1\n');
    expect(text).toContain('hello');
    expect(text).not.toContain('number 2\n');
    expect(text).not.toContain('number 499\n');
  });

  // Whoever had chosen announcements by e-mail got none.
  it('tells announcements, to those who want them by e-mail', async () => {
    await confirms();
    const [carol] = await server.actors('carol');
    const root = await server.administrator();
    await carol.rest('PUT', SETTING, { address: 'carol@example.com' });
    const link = linkIn((await mails.mail(2)).text, 'confirm');
    expect((await fetch(link, { method: 'POST' })).status).toBe(200);
    const wants = { kind: 'announcement', channels: { email: true } };
    expect((await bob.rest('PUT', '/notification-preferences', wants)).status).toBe(200);
    await root.rest('POST', '/admin/announcements', { title: 'Water', body: 'is off', reason: 'a test' });
    const mail = await mails.mail(3);
    expect(mail.to).toEqual([ADDRESS]);
    expect(mail.text).toContain('* Water\n  is off');
    // The walk is over: carol is not among those whose digest waits.
    await counted(server, 'parley_jobs_total{queue="email-announcement",result="ok"}', 1);
    await counted(server, 'parley_jobs_total{queue="email-digest",result="ok"}', 1);
    expect((await server.app.get(Jobs, { strict: false }).waiting()).get('email-digest') ?? 0).toBe(0);
    expect(mails.mails).toHaveLength(3);
  });

  it('is not sent when everything was seen meanwhile', async () => {
    await confirms();
    mails.refusals.push(451);
    const room = await alice.startsDirectWith(bob);
    await alice.sends(room, 'hello');
    await mails.inbox.find('attempt', { refusal: 451 });
    await bob.does('message:read', { roomId: room, seq: 1 });
    await emails('skipped', 1);
    expect(mails.mails).toHaveLength(1);
  });

  it('is tried again when the mail server cannot, and dead when it will not', async () => {
    await confirms();
    mails.refusals.push(451);
    await alice.sends(await alice.startsDirectWith(bob), 'hello');
    expect((await mails.mail(2)).text).toContain('hello');
    mails.refusals.push(550);
    const [carol] = await server.actors('carol');
    await carol.sends(await carol.startsDirectWith(bob), 'and me');
    await counted(server, 'parley_jobs_total{queue="email-digest",result="dead"}', 1);
    const dead = await server.app.get(Jobs, { strict: false }).dead('email-digest', undefined, 10);
    expect(dead).toMatchObject([{ data: { userId: bob.id }, attempts: 1 }]);
    expect(dead[0]?.error).toContain('550');
    expect(JSON.stringify(dead)).not.toContain(ADDRESS);
    expect(server.log.join('')).not.toContain(ADDRESS);
  });

  it('goes to nobody who has not confirmed', async () => {
    await asks();
    const [carol] = await server.actors('carol');
    await carol.rest('PUT', SETTING, { address: 'carol@example.com' });
    const link = linkIn((await mails.mail(2)).text, 'confirm');
    expect((await fetch(link, { method: 'POST' })).status).toBe(200);
    await alice.sends(await alice.startsDirectWith(bob), 'for Bob');
    await alice.sends(await alice.startsDirectWith(carol), 'for Carol');
    expect((await mails.mail(3)).to).toEqual(['carol@example.com']);
    expect(mails.mails).toHaveLength(3);
  });

  it('ends with one click in the mailbox, which opening the link is not', async () => {
    await confirms();
    const room = await alice.startsDirectWith(bob);
    await alice.sends(room, 'hello');
    const { headers, text } = await mails.mail(2);
    const link = linkIn(headers['list-unsubscribe'] ?? '', 'unsubscribe');
    expect(linkIn(text, 'unsubscribe')).toBe(link);
    expect((await fetch(link)).status).toBe(200);
    expect(await setting()).toMatchObject({ confirmed: true });
    const click = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) };
    expect((await fetch(link, click)).status).toBe(200);
    expect(await setting()).toEqual({ available: true, confirmed: false });
    expect((await fetch(link, click)).status).toBe(404);
  });

  it('keeps its distance from the one before', async () => {
    await confirms();
    await alice.sends(await alice.startsDirectWith(bob), 'hello');
    await mails.mail(2);
    await emails('sent', 2);
    await counted(server, 'parley_jobs_total{queue="email-digest",result="ok"}', 1);
    const addresses = server.app.get(EmailAddressesRepository, { strict: false });
    const next = await addresses.forDigest(bob.id, 900, 60);
    expect(next?.waitSeconds).toBeGreaterThan(900);
    expect(next?.waitSeconds).toBeLessThanOrEqual(960);
    expect((await addresses.forDigest(bob.id, 0, 0))?.waitSeconds).toBe(0);
    expect(next!.until.getTime()).toBeLessThan(next!.since.getTime());
  });
});
