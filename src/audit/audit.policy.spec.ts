import { assertNoSecrets } from './audit.policy.js';

describe('assertNoSecrets', () => {
  it.each([
    ['password'],
    ['passwordHash'],
    ['password_hash'],
    ['token'],
    ['tokens'],
    ['refreshToken'],
    ['accessToken'],
    ['secret'],
    ['JWT_SECRET'],
    ['request-hash'],
    ['apiKey'],
    ['cookie'],
    ['Authorization'],
  ])('refuses %s, on top, deep inside and in lists', (key) => {
    expect(() => assertNoSecrets({ [key]: 'x' })).toThrow(key);
    expect(() => assertNoSecrets({ a: { b: { [key]: null } } })).toThrow(key);
    expect(() => assertNoSecrets({ list: [1, { [key]: 'x' }] })).toThrow(key);
  });

  it('takes what changes in an act, and says nothing of values', () => {
    expect(() =>
      assertNoSecrets({ role: 'admin', suspendedAt: null, tokensValidAfter: 'now', name: 'password' }),
    ).not.toThrow();
    expect(() => assertNoSecrets(undefined)).not.toThrow();
    expect(() => assertNoSecrets({ token: 'hunter2' })).not.toThrow(/hunter2/);
  });
});
