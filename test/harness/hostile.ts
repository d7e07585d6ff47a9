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

/** One field of a payload: what the valid example carries (absent: `undefined`) and which values it may take. */
export interface Field {
  valid: unknown;
  optional: boolean;
  accepts: (value: unknown) => boolean;
}

type Accepts = Field['accepts'];
export const needed = (valid: unknown, accepts: Accepts): Field => ({ valid, accepts, optional: false });
export const optional = (valid: unknown, accepts: Accepts): Field => ({ valid, accepts, optional: true });

export const matching =
  (pattern: RegExp): Accepts =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
export const oneOf =
  (...choices: unknown[]): Accepts =>
  (value) =>
    choices.includes(value);
export const text =
  (min: number, max: number): Accepts =>
  (value) =>
    typeof value === 'string' && value.trim().length >= min && value.trim().length <= max;
/** Nothing invisible: no control characters (line breaks as told), nothing that turns the direction of text. */
export const visible =
  (breaks: string, accepts: Accepts): Accepts =>
  (value) =>
    accepts(value) &&
    [...(value as string).trim()].every(
      (character) => breaks.includes(character) || !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(character),
    );
export const emoji: Accepts = (value) => visible('', matching(/^\S{1,32}$/u))(value);
export const integer =
  (min: number, max: number): Accepts =>
  (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
export const listOf =
  (max: number, accepts: Accepts): Accepts =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(accepts);
export const boolean: Accepts = (value) => typeof value === 'boolean';
export const roomId = matching(/^[A-Za-z0-9_-]{1,64}$/);
export const userId: Accepts = (value) =>
  typeof value === 'string' && value.length >= 1 && value.length <= 128;
export const uuid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
export const position = integer(0, 2_147_483_647);
export const nothing: Accepts = () => false;
export const json =
  (bytes: number): Accepts =>
  (value) =>
    Buffer.byteLength(JSON.stringify(value)) <= bytes;

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
