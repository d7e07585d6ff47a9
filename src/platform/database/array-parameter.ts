/**
 * An array as Postgres reads it from text, or the array itself where the driver has to write it. The driver escapes item
 * by item, which took more of a batch than everything else of it on its way to the server. JSON writes the same where it
 * has no backslash: strings in quotes, numbers, `null`.
 */
export function arrayParameter(value: unknown): unknown {
  if (!Array.isArray(value) || value.some(isNested)) return value;
  const json = JSON.stringify(value);
  return json.includes('\\') ? value : `{${json.slice(1, -1)}}`;
}

const isNested = (item: unknown) => typeof item === 'object' && item !== null;
