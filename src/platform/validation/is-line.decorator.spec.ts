import { isLine } from './is-line.decorator.js';

describe('isLine', () => {
  it.each(['Ann', 'Zoë', '李小龍', 'می‌خواهم', '👩‍👩‍👧', 'a'.repeat(100), '👍'.repeat(100)])(
    'takes %s',
    (text) => {
      expect(isLine(text, 100)).toBe(true);
    },
  );

  it.each([
    ['nothing', ''],
    ['too much', 'a'.repeat(101)],
    ['two lines', 'a\nb'],
    ['NUL', 'a\0'],
    ['a lone surrogate', 'a\ud800'],
    ['a bidirectional override', 'nna\u202enimda'],
    ['a number', 7],
  ])('refuses %s', (_, value) => {
    expect(isLine(value, 100)).toBe(false);
  });
});
