/** Values no field should choke on, and a small oracle, independent of the DTOs, that says where one of them is in its right. */

/** Sent wherever a text can go, to look for it in answers and in the log. The space keeps it out of identifiers. */
export const MARKER = 'zq9 marker';
const TEXT = JSON.stringify(MARKER);

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const list = (length: number, item: (index: number) => string) =>
  `[${Array.from({ length }, (_, index) => item(index)).join(',')}]`;

/** As JSON text: some of it cannot be written by `JSON.stringify`. */
export const HOSTILE: Record<string, string> = {
  null: 'null',
  true: 'true',
  false: 'false',
  zero: '0',
  'minus zero': '-0',
  'a negative': '-1',
  'a fraction': '1.5',
  'the least fraction': '5e-324',
  'more than an int4': '2147483648',
  'less than an int4': '-2147483649',
  'more than a safe integer': '9007199254740993',
  'more than an int8': '18446744073709551616',
  '1e308': '1e308',
  infinity: '1e999',
  'minus infinity': '-1e999',
  'digits as a string': '"1"',
  'NaN as a string': '"NaN"',
  'true as a string': '"true"',
  'an empty string': '""',
  'a blank string': '" \\t\\n "',
  'a string': TEXT,
  'a very long string': JSON.stringify(MARKER.repeat(5500)),
  'the string __proto__': '"__proto__"',
  'the string constructor': '"constructor"',
  'a room name of the server': '"user:0"',
  'a bell': '"\\u0007"',
  'a reversed line': `"${MARKER}\\u202eenil"`,
  'a reversed word': '"\\u202edrow"',
  'an SQL quote': `"${MARKER}'; DROP TABLE users; --"`,
  'a path': '"../../etc/passwd"',
  NUL: '"\\u0000"',
  'NUL inside': `"zq9\\u0000 marker"`,
  'a lone high surrogate': '"\\ud800"',
  'surrogates the wrong way round': '"\\udc00\\ud800"',
  'a lone surrogate inside': `"${MARKER}\\udfff"`,
  'an empty list': '[]',
  'a list of text': `[${TEXT}]`,
  'a list of everything': `[null,true,-1,1.5,"",[],{},${TEXT}]`,
  'a list in a list': '[[]]',
  'a list of 10,000 numbers': list(10_000, String),
  'a list of 5,000 strings': list(5000, (index) => `"r${String(index)}"`),
  'a list of one id 3,000 times': list(3000, () => '"same"'),
  'an empty object': '{}',
  'an object': `{${TEXT}:${TEXT}}`,
  'an object like a list': '{"length":1,"0":"x"}',
  'an object like a string': '{"length":3}',
  'an object of 3,000 keys': `{${Array.from({ length: 3000 }, (_, index) => `"k${String(index)}":1`).join(',')}}`,
  __proto__: '{"__proto__":{"isAdmin":true}}',
  'constructor.prototype': '{"constructor":{"prototype":{"isAdmin":true}}}',
  'a key toString': '{"toString":1}',
  'a key with NUL': '{"a\\u0000":1}',
  'a key with a lone surrogate': '{"\\ud800":1}',
  'a Socket.IO placeholder': '{"_placeholder":true,"num":0}',
  '20 levels of lists': nested(20),
  '10,000 levels of lists': nested(10_000),
  '5,000 levels of objects': '{"a":'.repeat(5000) + '1' + '}'.repeat(5000),
};

/** Which values a field may take, and those where a careless reader of the rule would err. */
export interface Accepts {
  (value: unknown): boolean;
  edges?: unknown[];
}

/** One field of a payload: what the valid example carries (absent: `undefined`) and which values it may take. */
export interface Field {
  valid: unknown;
  optional: boolean;
  accepts: Accepts;
}

export const needed = (valid: unknown, accepts: Accepts): Field => ({ valid, accepts, optional: false });
export const optional = (valid: unknown, accepts: Accepts): Field => ({ valid, accepts, optional: true });

/** A rule with the values next to its limits, on both sides of each. */
export const withEdges = (accepts: (value: unknown) => boolean, edges: unknown[]): Accepts =>
  Object.assign((value: unknown) => accepts(value), { edges });

export const matching =
  (pattern: RegExp): Accepts =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
export const oneOf =
  (...choices: unknown[]): Accepts =>
  (value) =>
    choices.includes(value);
export const orNull = (accepts: Accepts): Accepts =>
  withEdges((value) => value === null || accepts(value), accepts.edges ?? []);
/** Characters after trimming. */
export const text = (min: number, max: number): Accepts =>
  withEdges(
    (value) => typeof value === 'string' && value.trim().length >= min && value.trim().length <= max,
    around(min, max).map((length) => 'a'.repeat(length)),
  );
/** Nothing invisible: no control characters (line breaks as told), nothing that turns the direction of text. */
export const visible = (breaks: string, accepts: Accepts): Accepts =>
  withEdges(
    (value) =>
      accepts(value) &&
      [...(value as string).trim()].every(
        (character) => breaks.includes(character) || !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(character),
      ),
    [...(accepts.edges ?? []), 'a\nb', 'a\rb', 'a\tb', 'a\u0085b', 'a\u2066b', '\u200b'],
  );
export const emoji: Accepts = (value) => visible('', matching(/^\S{1,32}$/u))(value);
export const integer = (min: number, max: number): Accepts =>
  withEdges(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    [min - 1, min, max, max + 1],
  );
/** Up to so many, and no fewer than the least; `item` makes right ones for lists of just these lengths. */
export const listOf = (
  max: number,
  accepts: Accepts,
  { min = 0, item }: { min?: number; item?: (index: number) => unknown } = {},
): Accepts =>
  withEdges(
    (value) =>
      Array.isArray(value) &&
      value.length >= min &&
      value.length <= max &&
      value.every((one) => accepts(one)),
    item ? around(min, max).map((length) => Array.from({ length }, (_, index) => item(index))) : [],
  );
/** None of it twice. */
export const distinct = (accepts: Accepts): Accepts =>
  withEdges(
    (value) => accepts(value) && new Set(value as unknown[]).size === (value as unknown[]).length,
    [...(accepts.edges ?? [])],
  );
export const boolean: Accepts = (value) => typeof value === 'boolean';
export const roomId = matching(/^[A-Za-z0-9_-]{1,64}$/);
export const userId: Accepts = withEdges(
  (value) => typeof value === 'string' && value.length >= 1 && value.length <= 128,
  around(1, 128).map((length) => 'u'.repeat(length)),
);
export const uuid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
export const position = integer(0, 2_147_483_647);
/** Cursors and the like: which text is right only the server knows. */
export const opaque: Accepts = (value) => typeof value === 'string' && value !== '' && value.length <= 1000;
export const nothing: Accepts = () => false;
export const json =
  (bytes: number): Accepts =>
  (value) =>
    Buffer.byteLength(JSON.stringify(value)) <= bytes;

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

/** A moment of the contract: ISO 8601 in UTC. With a bound at most so many days ahead, and, unless told otherwise, in the future. */
export const isoTime = (maxDays?: number, { past = false } = {}): Accepts =>
  withEdges(
    (value) => {
      const parts = /^((?!0000)\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,3})?Z$/.exec(
        typeof value === 'string' ? value : '',
      );
      const at = parts ? new Date(value as string) : undefined;
      if (
        !at ||
        Number.isNaN(at.getTime()) ||
        at.toISOString().slice(0, 19) !== `${parts![1]!}T${parts![2]!}`
      )
        return false;
      return (
        maxDays === undefined ||
        ((past || at.getTime() > Date.now()) && at.getTime() <= Date.now() + maxDays * DAY_MS)
      );
    },
    [
      ...(maxDays === undefined
        ? []
        : [inDays(maxDays - 1), inDays(maxDays + 7), inDays(-1), inDays(-0.001)]),
      '2030-01-31',
      '2030-01-31T12:00:00',
      '2030-01-31T12:00:00+01:00',
      '2030-02-30T12:00:00Z',
      '2030-13-01T12:00:00Z',
      '2030-01-31T24:00:00Z',
      '2030-01-31T23:59:60Z',
      '0000-01-01T00:00:00Z',
      '+010000-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      'Thu, 31 Jan 2030 12:00:00 GMT',
      '2030-W05-4',
      'infinity',
      'now',
      1_900_000_000_000,
    ],
  );

/** Nothing beside these fields, each right; hostile values go into each field of it, too. */
export function objectOf(fields: Record<string, Field>): Accepts {
  const valid = JSON.parse(payloadOf(fields)) as object;
  const inner = Object.entries(fields).flatMap(([name, { valid: _, accepts }]) => [
    ...Object.values(HOSTILE)
      .filter((json) => json.length < 5000)
      .map((json) => ({ ...valid, [name]: JSON.parse(json) as unknown })),
    ...(accepts.edges ?? []).map((value) => ({ ...valid, [name]: value })),
    Object.fromEntries(Object.entries(valid).filter(([other]) => other !== name)),
  ]);
  return withEdges(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).every((name) => Object.hasOwn(fields, name)) &&
      Object.entries(fields).every(([name, field]) =>
        Object.hasOwn(value, name) ? field.accepts((value as Record<string, unknown>)[name]) : field.optional,
      ),
    [...inner, { ...valid, surplus: MARKER }, { ...valid, toString: 1 }, [valid]],
  );
}

function around(min: number, max: number): number[] {
  return [min - 1, min, max, max + 1].filter((length) => length >= 0);
}

/** What is tried in a field, as JSON text: all that is hostile, and what is next to its own limits. */
export function valuesFor({ accepts }: Field): [what: string, json: string][] {
  const edges = (accepts.edges ?? []).map((value) => JSON.stringify(value));
  return [...Object.entries(HOSTILE), ...edges.map((json): [string, string] => [json.slice(0, 100), json])];
}

/** May this value stand in this field? */
export const isRight = (field: Field, value: unknown): boolean => isClean(value) && field.accepts(value);

const REFUSED_KEYS = new Set(['prototype', ...Object.getOwnPropertyNames(Object.prototype)]);

/** What no field may carry: text that is not text, keys that reach prototypes, more than 20 levels (the payload is the first). */
function isClean(root: unknown): boolean {
  const pending: [unknown, number][] = [[root, 2]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [value, depth] = next;
    if (typeof value === 'string' && !isText(value)) return false;
    if (typeof value === 'number' && !Number.isFinite(value)) return false;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > 20) return false;
    for (const [key, inner] of Object.entries(value)) {
      if (!isText(key) || (!Array.isArray(value) && REFUSED_KEYS.has(key))) return false;
      pending.push([inner, depth + 1]);
    }
  }
  return true;
}

const isText = (value: string) => !value.includes('\0') && value.isWellFormed();

/** The valid example, as JSON text, with one field replaced by JSON text, or left out. */
export function payloadOf(fields: Record<string, Field>, field?: string, value?: string): string {
  const parts = Object.entries(fields).flatMap(([name, { valid }]) => {
    const json = name === field ? value : valid === undefined ? undefined : JSON.stringify(valid);
    return json === undefined ? [] : [`${JSON.stringify(name)}:${json}`];
  });
  return `{${parts.join(',')}}`;
}

/** Lines of level error or fatal, and lines that repeat what was sent. */
export function faultsIn(log: string[]): string[] {
  return log.filter((line) => /"level":"(error|fatal)"/.test(line) || line.includes('zq9'));
}
