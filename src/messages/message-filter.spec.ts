import fc from 'fast-check';
import type { FilterAction, FilterKind } from '../contract/moderation.js';
import type { Rule } from './filter-match.js';
import { keyOfPattern, MessageFilter } from './message-filter.js';

const rule = (pattern: string, action: FilterAction = 'mask', kind: FilterKind = 'word'): Rule => ({
  id: `${kind} ${pattern}`,
  kind,
  pattern,
  action,
});
const words = (...patterns: string[]) => new MessageFilter(patterns.map((pattern) => rule(pattern)));
const links = (...patterns: string[]) =>
  new MessageFilter(patterns.map((pattern) => rule(pattern, 'mask', 'link')));

describe('MessageFilter', () => {
  it.each([
    ['a badword here', 'a ******* here'],
    ['BadWord', '*******'],
    ['badword!', '*******!'],
    ['(badword)', '(*******)'],
    ['badwords are not it', 'badwords are not it'],
    ['xbadword', 'xbadword'],
    ['bad_badword', 'bad_badword'],
    ['badword2', 'badword2'],
    ['badword-2', '*******-2'],
    // Evasions: nothing to see, full width, other forms of the same letters.
    ['bad\u200bword', '********'],
    ['b\u00ada\u2060d\ufeffword', '**********'],
    ['ｂａｄｗｏｒｄ', '*******'],
    ['𝐛𝐚𝐝𝐰𝐨𝐫𝐝', '*******'],
    ['ⓑⓐⓓⓦⓞⓡⓓ', '*******'],
    ['badword badword', '******* *******'],
    ['😀badword😀', '😀*******😀'],
  ])('finds whole words in any case and form: %s', (text, masked) => {
    expect(words('badword').check(text).content).toBe(masked);
  });

  it.each([
    ['buy  cheap\n\tpills', 'go buy now', 'go buy now'],
    ['cheap pills', 'cheap \n pills', '**************'.slice(0, 13)],
    ['cheap pills', 'cheap\u00a0pills', '***********'],
    ['cheap pills', 'cheappills', 'cheappills'],
    [' cheap   pills ', 'cheap pills', '***********'],
    ['straße', 'STRASSE', '*******'],
    ['ΟΔΟΣ', 'οδος', '****'],
    ['café', 'cafe\u0301', '*****'],
    ['cafe', 'café', 'café'],
    ['ﬁsh', 'FISH', '****'],
    ['c++', 'is c++ fun', 'is *** fun'],
    ['.*', 'anything', 'anything'],
    ['(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'],
    // Without spaces a word can begin anywhere; a voiced sound is another one.
    ['笨蛋', '你是笨蛋吗', '你是**吗'],
    ['か', 'が', 'が'],
    ['💩', 'so💩so', 'so*so'],
  ])('%s in %s', (pattern, text, masked) => {
    expect(words(pattern).check(text).content).toBe(masked);
  });

  it.each([
    ['see https://evil.com/path?x#y', 'see https://********/path?x#y'],
    ['HTTPS://EVIL.COM', 'HTTPS://********'],
    ['evil.com', '********'],
    ['evil.com.', '********.'],
    ['evil.com...and more', '********...and more'],
    ['www.evil.com:8080', '************:8080'],
    ['http://user:pw@a.b.evil.com', 'http://user:pw@************'],
    ['mail me@evil.com', 'mail me@********'],
    ['evil\u200b.com', '*********'],
    ['ｅｖｉｌ．ｃｏｍ', '********'],
    ['evil。com', '********'],
    ['notevil.com', 'notevil.com'],
    ['evil.com.example.org', 'evil.com.example.org'],
    ['evil.community', 'evil.community'],
    ['evil com', 'evil com'],
    ['-evil.com-', '**********'],
    // Percent signs, which a browser decodes in the place of a host: the filter saw no name in them.
    ['http://evil%2Ecom/path', 'http://**********/path'],
    ['http://ev%69l%2ecom', 'http://************'],
    ['http://%65%76%69%6c.com:80', 'http://****************:80'],
    ['http://evil.co%6d', 'http://**********'],
    ['http://evil%E3%80%82com', 'http://****************'],
    ['http://evil%EF%BC%8E%e2%80%8bcom', 'http://*************************'],
    ['http://user%ff@evil%2ecom', 'http://user%ff@**********'],
    ['http://notevil%2ecom', 'http://notevil%2ecom'],
    ['100%evil.com', '100%********'],
    ['50%20evil.com', '50%20evil.com'.replace('20evil.com', '20********')],
  ])('finds hosts and their subdomains: %s', (text, masked) => {
    expect(links('Evil.com').check(text).content).toBe(masked);
  });

  it('knows one host by its two spellings', () => {
    for (const pattern of ['bücher.example', 'xn--bcher-kva.example', 'BÜCHER.example'])
      for (const text of ['x bücher.example', 'x www.xn--bcher-kva.example', 'x BU\u0308CHER.example'])
        expect(links(pattern).check(text).content).toMatch(/^x \*+$/);
    expect(keyOfPattern('link', 'bücher.example')).toBe(keyOfPattern('link', 'XN--bcher-kva.example'));
  });

  it.each(['https://evil.com', 'evil.com/x', 'evil com', '.com', '...', '\u200b', 'a..b'])(
    'takes %j for no host',
    (pattern) => {
      expect(keyOfPattern('link', pattern)).toBeUndefined();
    },
  );

  it('takes what cannot be seen for no word', () => {
    for (const pattern of ['\u200b', ' ', '\u00ad\ufeff'])
      expect(keyOfPattern('word', pattern)).toBeUndefined();
  });

  it('rejects before it masks or flags, and says no more than the kind', () => {
    const filter = new MessageFilter([
      rule('masked', 'mask'),
      rule('flagged', 'flag'),
      rule('forbidden', 'reject'),
      rule('evil.com', 'reject', 'link'),
    ]);
    expect(filter.check('masked flagged forbidden')).toEqual({
      rejected: 'word',
      content: 'masked flagged forbidden',
    });
    expect(filter.check('flagged evil.com')).toMatchObject({ rejected: 'link' });
    expect(filter.check('masked flagged')).toEqual({ content: '****** flagged', flaggedBy: 'word flagged' });
    expect(filter.check('fine')).toEqual({ content: 'fine' });
  });

  it('masks what overlaps once', () => {
    expect(words('a b', 'b c', 'b').check('a b c').content).toBe('*****');
  });

  it('never changes the length, the rest of the text, or a masked text again', () => {
    const letters = fc.constantFrom(
      'a',
      'b',
      'B',
      ' ',
      '.',
      '\u200b',
      'é',
      '\u0301',
      'ｂ',
      '😀',
      '漢',
      '\n',
      '-',
      'ß',
    );
    const text = fc.array(letters, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 5 }), (content, patterns) => {
        const filter = new MessageFilter(patterns.flatMap((p) => [rule(p), rule(p, 'mask', 'link')]));
        const masked = filter.check(content).content;
        const [before, after] = [[...content], [...masked]];
        expect(after).toHaveLength(before.length);
        for (const [index, character] of after.entries()) expect(['*', before[index]]).toContain(character);
      }),
    );
  });

  it('finds a word wherever it stands alone, whatever is around it', () => {
    const around = fc.constantFrom('', ' ', '.', '!', ' 7q ', '😀', '\n', '"', ', and ');
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'abcdefgXYZéñж0'), minLength: 1, maxLength: 12 }),
        around,
        around,
        (word, before, after) => {
          const filter = new MessageFilter([rule(word, 'reject')]);
          expect(filter.check(`${before}${word.toUpperCase()}${after}`).rejected).toBe('word');
          expect(filter.check(`${before}${[...word].join('\u200d')}${after}`).rejected).toBe('word');
          expect(filter.check(`${before}${word}q${after}`).rejected).toBeUndefined();
        },
      ),
    );
  });

  it('takes any text and any pattern', () => {
    const any = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(any, any, (content, pattern) => {
        const filter = new MessageFilter([rule(pattern), rule(pattern, 'mask', 'link')]);
        expect([...filter.check(content).content]).toHaveLength([...content].length);
        keyOfPattern('link', pattern);
      }),
    );
  });
});
