import { type AppError } from '../platform/errors/app-error.js';
import { Passwords } from './passwords.js';

describe('Passwords', () => {
  it('hashes with argon2id at the stated cost, each time with another salt', async () => {
    const passwords = new Passwords();
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(two).not.toBe(one);
  });

  it('knows the right password from a wrong one', async () => {
    const passwords = new Passwords();
    const stored = await passwords.hash('correct horse');
    expect(await passwords.verify(stored, 'correct horse')).toBe(true);
    expect(await passwords.verify(stored, 'Correct horse')).toBe(false);
  });

  it('takes the same letters composed in another way', async () => {
    const passwords = new Passwords();
    expect(await passwords.verify(await passwords.hash('caf\u00e9 noir'), 'cafe\u0301 noir')).toBe(true);
  });

  it('works as hard for a user who does not exist', async () => {
    const passwords = new Passwords();
    const stored = await passwords.hash('correct horse');
    const timed = async (hash: string | null) => {
      const from = performance.now();
      expect(await passwords.verify(hash, 'wrong')).toBe(false);
      return performance.now() - from;
    };
    await timed(stored);
    // Skipping the work would be a hundred times faster; the margin is for a busy machine.
    expect(await timed(null)).toBeGreaterThan((await timed(stored)) / 10);
  });

  it('lets 66 in and tells the others to come back', async () => {
    const passwords = new Passwords();
    const outcomes = await Promise.allSettled(Array.from({ length: 70 }, () => passwords.verify(null, 'x')));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as AppError] : [],
    );
    expect(refused).toHaveLength(4);
    expect(refused[0]).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1000 });
    expect(await passwords.verify(null, 'x')).toBe(false);
  });
});
