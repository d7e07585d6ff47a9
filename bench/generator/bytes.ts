/** Looks at bytes where they lie, without making strings of them. */
export function startsWith(bytes: Buffer, at: number, end: number, prefix: Buffer): boolean {
  if (end - at < prefix.length) return false;
  // From behind: frames of one namespace differ at the end of their prefixes.
  for (let index = prefix.length - 1; index >= 0; index -= 1)
    if (bytes[at + index] !== prefix[index]) return false;
  return true;
}

export interface DecimalAt {
  value: number;
  end: number;
}

export function decimalAt(bytes: Buffer, at: number, end: number): DecimalAt {
  let value = 0;
  let index = at;
  for (; index < end; index += 1) {
    const digit = (bytes[index] as number) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return { value, end: index };
}
