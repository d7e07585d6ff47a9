import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { loadConfig } from '../platform/config/config.js';
import { AccessTokenError, AccessTokens } from './access-tokens.js';

const secret = 'a secret of the tests that is long enough';
const config = loadConfig({ ACCESS_TOKEN_SECONDS: '900' });
const tokens = new AccessTokens(new JwtService({ secret }), config);
const now = () => Math.floor(Date.now() / 1000);
const claims = (changes: object = {}) => ({
  sub: 'u1',
  iss: 'parley',
  aud: 'parley',
  iat: now(),
  exp: now() + 60,
  ...changes,
});

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by hand: libraries refuse to make most of these. */
function forged(
  payload: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  key = secret,
  hash = 'sha256',
): string {
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

async function failureOf(token: string): Promise<string> {
  const error: unknown = await tokens.verify(token).catch((thrown: unknown) => thrown);
  return error instanceof AccessTokenError ? error.failure : `not refused: ${JSON.stringify(error)}`;
}

describe('AccessTokens', () => {
  it('verifies what it signed', async () => {
    const { token, expiresAt } = await tokens.sign(
      { id: 'u1', username: 'ann', name: 'Ann', role: 'admin' },
      's1',
    );
    const verified = await tokens.verify(token);
    expect(verified).toMatchObject({
      userId: 'u1',
      sessionId: 's1',
      profile: { name: 'Ann', role: 'admin' },
    });
    expect(verified.expiresAt).toBe(expiresAt.getTime());
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(898_000);
  });

  it("takes a token of the team's own backend: no sid, no typ, several audiences", async () => {
    const token = forged(claims({ aud: ['shop', 'parley'], preferred_username: 'ann' }), { alg: 'HS256' });
    expect(await tokens.verify(token)).toMatchObject({
      userId: 'u1',
      sessionId: undefined,
      profile: { username: 'ann' },
    });
  });

  it('refuses the algorithm `none`, with and without a signature', async () => {
    const text = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}`;
    expect(await failureOf(`${text}.`)).toBe('INVALID');
    expect(await failureOf(forged(claims(), { alg: 'none' }))).toBe('INVALID');
    expect(await failureOf(forged(claims(), { alg: 'None' }))).toBe('INVALID');
  });

  it('refuses other algorithms, also with the right secret', async () => {
    expect(await failureOf(forged(claims(), { alg: 'HS512' }, secret, 'sha512'))).toBe('INVALID');
    expect(await failureOf(forged(claims(), { alg: 'HS384' }, secret, 'sha384'))).toBe('INVALID');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims())}`;
    expect(
      await failureOf(`${text}.${createSign('sha256').update(text).sign(privateKey, 'base64url')}`),
    ).toBe('INVALID');
  });

  it.each(['kid', 'jku', 'jwk', 'x5u'])('does not let the header choose the key: %s', async (field) => {
    const attackers = 'the key of somebody else, long enough too';
    const value =
      field === 'jwk' ? { kty: 'oct', k: Buffer.from(attackers).toString('base64url') } : '../../dev/null';
    const header = { alg: 'HS256', typ: 'JWT', [field]: value };
    expect(await failureOf(forged(claims(), header, attackers))).toBe('INVALID');
    expect(await failureOf(forged(claims(), header, ''))).toBe('INVALID');
    expect(await tokens.verify(forged(claims(), header))).toMatchObject({ userId: 'u1' });
  });

  it('refuses a header that asks for what it does not know', async () => {
    expect(await failureOf(forged(claims(), { alg: 'HS256', crit: ['b64'], b64: false }))).toBe('INVALID');
  });

  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 1, null])(
    'refuses a token of another type: %s',
    async (typ) => {
      expect(await failureOf(forged(claims(), { alg: 'HS256', typ }))).toBe('INVALID');
    },
  );

  it.each([
    ['another issuer', { iss: 'somebody' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'shop' }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no string', { sub: 7 }],
    ['a subject too long', { sub: 'a'.repeat(129) }],
    ['a subject with a line break', { sub: 'a\nb' }],
    ['a subject beyond ASCII', { sub: 'zoë' }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is no number', { exp: '9999999999' }],
    ['an expiry beyond time', { exp: 1e300 }],
    ['an issue time that is no number', { iat: 'now' }],
    ['a start in the future', { nbf: now() + 60 }],
    ['a session that is no string', { sid: { $ne: null } }],
    ['a session with a NUL', { sid: 'a\0' }],
  ])('refuses %s', async (_, changes) => {
    expect(await failureOf(forged(claims(changes)))).toBe('INVALID');
  });

  it('tells an expired token from a bad one, but only when the signature is right', async () => {
    expect(await failureOf(forged(claims({ exp: now() - 1 })))).toBe('EXPIRED');
    expect(await failureOf(forged(claims({ exp: now() - 1 }), { alg: 'HS256' }, 'another secret'))).toBe(
      'INVALID',
    );
  });

  it.each(['', '.', '..', 'a.b.c', 'not a token', `${'a'.repeat(20_000)}.b.c`])(
    'refuses %.20s',
    async (token) => {
      expect(await failureOf(token)).toBe('INVALID');
    },
  );

  it('refuses a payload that is no object', async () => {
    const text = `${part({ alg: 'HS256' })}.${Buffer.from('"u1"').toString('base64url')}`;
    expect(await failureOf(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`)).toBe(
      'INVALID',
    );
  });
});
