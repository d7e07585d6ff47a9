import { v7 as uuid } from 'uuid';
import { judge, RefreshTokens } from './refresh-tokens.js';

const tokens = new RefreshTokens({ jwtSecret: 'a secret of the tests that is long enough' });
const sessionId = uuid();

describe('RefreshTokens', () => {
  it('reads what it wrote, and always writes the same', () => {
    const token = tokens.write({ sessionId, generation: 7 });
    expect(tokens.read(token)).toEqual({ sessionId, generation: 7 });
    expect(tokens.write({ sessionId, generation: 7 })).toBe(token);
  });

  it('refuses another generation or session under the same mac', () => {
    const [, , mac] = tokens.write({ sessionId, generation: 7 }).split('.');
    expect(tokens.read(`${sessionId}.8.${mac ?? ''}`)).toBeUndefined();
    expect(tokens.read(`${uuid()}.7.${mac ?? ''}`)).toBeUndefined();
  });

  it('refuses a token made with another secret', () => {
    const others = new RefreshTokens({ jwtSecret: 'another secret that is also long enough' });
    expect(tokens.read(others.write({ sessionId, generation: 1 }))).toBeUndefined();
  });

  it.each([
    '',
    '..',
    'a.1.b',
    `${sessionId}.1.`,
    `${sessionId}.0.${'a'.repeat(43)}`,
    `${sessionId}.01.${'a'.repeat(43)}`,
  ])('refuses %s', (token) => {
    expect(tokens.read(token)).toBeUndefined();
  });
});

describe('judge', () => {
  it.each([
    [5, 5, true, 'current'],
    [5, 5, false, 'current'],
    [4, 5, true, 'repeated'],
    [4, 5, false, 'reused'],
    [3, 5, true, 'reused'],
    [1, 9, false, 'reused'],
    [6, 5, true, 'unknown'],
  ] as const)('generation %i at %i, rotated just now: %s -> %s', (presented, current, justNow, verdict) => {
    expect(judge(presented, current, justNow)).toBe(verdict);
  });
});
