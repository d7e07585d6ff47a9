const SPACE = 0x20;

/** What a character is to the search for words and host names; bits of one number. */
const MARK = 1;
/** No word begins or ends between two of these. */
const JOINED = 2;
/** Can stand in a label of a host name. */
const NAME = 4;

/** Soft hyphens, zero-width characters, variation selectors and the like. */
const INVISIBLE = /^\p{Default_Ignorable_Code_Point}$/u;
const WORD = /^[\p{L}\p{N}\p{M}_]$/u;
/** Written without spaces: a word may begin and end anywhere. */
const SPACELESS =
  /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/u;

/** The work of a character is done once: those of ASCII are kept, the others forgotten together when there are many. */
class PerCharacter<T> {
  private readonly ascii: T[];
  private readonly others = new Map<number, T>();

  constructor(private readonly make: (character: string) => T) {
    this.ascii = Array.from({ length: 128 }, (_, code) => make(String.fromCharCode(code)));
  }

  of(code: number): T {
    const known = code < 128 ? this.ascii[code] : this.others.get(code);
    if (known !== undefined) return known;
    const made = this.make(String.fromCodePoint(code));
    if (this.others.size >= 20_000) this.others.clear();
    this.others.set(code, made);
    return made;
  }
}

/** The code points a character is compared by: one where that is enough, else any number of them. */
const folded = new PerCharacter((character): number | number[] => {
  if (INVISIBLE.test(character)) return [];
  const spelled = character.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD');
  const codes = Array.from(spelled.replace(/\s+/gu, ' '), (part) => part.codePointAt(0) as number);
  return codes.length === 1 ? (codes[0] as number) : codes;
});

const traits = new PerCharacter((character) => {
  const mark = /^\p{M}$/u.test(character) ? MARK : 0;
  const word = WORD.test(character);
  const joined = word && !SPACELESS.test(character) ? JOINED : 0;
  return mark | joined | (word || character === '-' ? NAME : 0);
});

/** Of a folded code. */
export const isNameCode = (code: number): boolean => (traits.of(code) & NAME) !== 0;

/**
 * A text as filter rules compare it: compatibility forms resolved (full-width letters, ligatures), case folded, what cannot
 * be seen left out, white space as one space. It knows which character of the original each part came from.
 */
export class FoldedText {
  readonly codes: number[] = [];
  /** For each of `codes` the index of its code point in the original. */
  private readonly from: number[] = [];

  constructor(private readonly text: string) {
    let index = 0;
    for (let at = 0; at < text.length; index++) {
      const code = text.codePointAt(at) as number;
      at += code > 0xffff ? 2 : 1;
      const parts = folded.of(code);
      if (typeof parts === 'number') this.push(parts, index);
      else for (const part of parts) this.push(part, index);
    }
  }

  /** The original with a star for each character of these parts of `codes`. */
  masked(parts: readonly { start: number; end: number }[]): string {
    const characters = [...this.text];
    for (const { start, end } of parts)
      characters.fill('*', this.from[start], (this.from[end - 1] as number) + 1);
    return characters.join('');
  }

  private push(code: number, index: number): void {
    if (code === SPACE && this.codes.at(-1) === SPACE) return;
    this.codes.push(code);
    this.from.push(index);
  }
}

/** The pattern of a word or phrase as it is compared. */
export function foldedPattern(pattern: string): number[] {
  const { codes } = new FoldedText(pattern);
  const start = codes[0] === SPACE ? 1 : 0;
  return codes.slice(start, codes.at(-1) === SPACE ? -1 : undefined);
}

/** Whether in a folded text a word can begin or end in front of this place. */
export function isBoundary(codes: readonly number[], at: number): boolean {
  if (at >= codes.length) return true;
  const after = traits.of(codes[at] as number);
  if ((after & MARK) !== 0) return false;
  return at === 0 || (after & JOINED & traits.of(codes[at - 1] as number)) === 0;
}

const PERCENT = 0x25;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A folded text as a browser reads it in the place of a host name: `%2E` is a dot. `at` says where each code stood. */
export interface Decoded {
  codes: number[];
  /** One more than there are codes: the last is the end. */
  at: number[];
}

/** Nothing when nothing is encoded. */
export function percentDecoded(codes: readonly number[]): Decoded | undefined {
  if (!codes.includes(PERCENT)) return undefined;
  const decoded: Decoded = { codes: [], at: [] };
  for (let at = 0; at < codes.length;) {
    const bytes = bytesAt(codes, at);
    const text = decodedText(bytes);
    if (text === '') {
      // Nothing encoded, or what no browser decodes.
      for (const end = at + Math.max(1, 3 * bytes.length); at < end; at++) {
        decoded.codes.push(codes[at] as number);
        decoded.at.push(at);
      }
      continue;
    }
    for (const character of text) {
      const parts = folded.of(character.codePointAt(0) as number);
      for (const part of typeof parts === 'number' ? [parts] : parts) {
        decoded.codes.push(part);
        decoded.at.push(at);
      }
      at += 3 * Buffer.byteLength(character);
    }
  }
  decoded.at.push(codes.length);
  return decoded;
}

/** The bytes that are written from here on, three characters for each. */
function bytesAt(codes: readonly number[], at: number): Uint8Array {
  const bytes: number[] = [];
  for (; codes[at] === PERCENT; at += 3) {
    const hex = String.fromCodePoint(...codes.slice(at + 1, at + 3));
    if (!/^[0-9a-f]{2}$/.test(hex)) break;
    bytes.push(Number.parseInt(hex, 16));
  }
  return Uint8Array.from(bytes);
}

function decodedText(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  try {
    return utf8.decode(bytes);
  } catch {
    return '';
  }
}
