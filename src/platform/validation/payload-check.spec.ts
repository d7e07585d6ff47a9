import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { checkPayload } from './payload-check.js';

const refusal = (value: unknown): { path: string; problem: string } | undefined => {
  try {
    checkPayload(value);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    const { code, details } = error as AppError;
    expect(code).toBe('VALIDATION_FAILED');
    return details?.[0];
  }
};
const nested = (levels: number): unknown => {
  let value: unknown = 'core';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value];
  return value;
};

describe('checkPayload', () => {
  it('accepts what JSON carries', () => {
    expect(
      refusal({ roomId: 'general', content: 'hé 👋', data: { list: [1, -0.5, null, true, { deep: [] }] } }),
    ).toBeUndefined();
    expect(refusal(undefined)).toBeUndefined();
    // Query strings are parsed into objects without a prototype.
    expect(refusal(Object.assign(Object.create(null) as object, { q: 'x' }))).toBeUndefined();
  });

  it('accepts 20 levels and refuses 21', () => {
    expect(refusal(nested(20))).toBeUndefined();
    expect(refusal(nested(21))).toMatchObject({ problem: 'is nested deeper than 20 levels' });
  });

  it('answers at once to 100,000 levels', () => {
    const started = performance.now();
    expect(refusal(nested(100_000))?.problem).toMatch(/deeper/);
    expect(performance.now() - started).toBeLessThan(200);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'refuses the key %s anywhere',
    (key) => {
      const evil: unknown = JSON.parse(`{"data":{"inner":[{"${key}":{"admin":true}}]}}`);
      expect(refusal(evil)).toEqual({ path: 'data.inner.0', problem: 'has a key that is not allowed' });
      expect(refusal(JSON.parse(`{"${key}":1}`))?.path).toBe('(payload)');
    },
  );

  it.each([
    ['NUL', 'a\0b', 'must not contain NUL'],
    ['a lone surrogate', 'a\ud83d', 'must be well-formed Unicode'],
    ['infinity', Infinity, 'must be a finite number'],
    ['NaN', NaN, 'must be a finite number'],
    ['a buffer', Buffer.from('x'), 'must not be binary'],
    ['an array buffer', new ArrayBuffer(1), 'must not be binary'],
    ['a date', new Date(), 'must not be binary'],
    ['a function', () => 1, 'is not a JSON value'],
  ])('refuses %s with its path', (_, value, problem) => {
    expect(refusal({ a: [{ b: value }] })).toEqual({ path: 'a.0.b', problem });
  });

  it('refuses keys that are no text', () => {
    expect(refusal({ a: { 'x\0': 1 } })).toEqual({ path: 'a', problem: 'has a key that is not valid text' });
    expect(refusal({ a: { '\udc00': 1 } })?.path).toBe('a');
  });

  it('does not repeat odd keys', () => {
    expect(refusal({ '<script>': '\0' })?.path).toBe('(unknown field)');
    expect(refusal({ ['k'.repeat(500)]: '\0' })?.path).toHaveLength(64);
  });

  it('throws nothing but AppError, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withTypedArray: true,
        }),
        (value) => {
          refusal(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('accepts every JSON value of bounded depth whose text is sound', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 15 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(
          !/\\u0000|__proto__|constructor|prototype|toString|valueOf|hasOwn|isPrototypeOf|propertyIs|toLocale|__define|__lookup/.test(
            text,
          ),
        );
        expect(refusal(value)).toBeUndefined();
      }),
    );
  });
});
