import { domainToASCII } from 'node:url';
import type { FilterAction, FilterKind } from '../contract/moderation.js';
import type { Match, Rule } from './filter-match.js';
import { FoldedText, foldedPattern, isNameCode, percentDecoded } from './folded-text.js';
import { WordSearch } from './word-search.js';

/** What the rules make of a text. */
export interface Filtered {
  /** What kind of thing forbids the text as a whole. */
  rejected?: FilterKind;
  /** With stars, as many characters as before. */
  content: string;
  /** The first rule that wants it to be seen by a moderator. */
  flaggedBy?: string;
}

/** Characters of a DNS name. */
const MOST_HOST = 253;

/** How a pattern is compared, one text for all its spellings; nothing when it can match nothing. */
export function keyOfPattern(kind: FilterKind, pattern: string): string | undefined {
  const key = kind === 'word' ? String.fromCodePoint(...foldedPattern(pattern)) : hostOf(pattern);
  return key === '' ? undefined : key;
}

/**
 * One version of the rules, ready to be asked. Words are looked for all at once, hosts by their endings: nothing of a pattern is ever executed, and the time grows with the text, not with the number of rules.
 */
export class MessageFilter {
  static readonly EMPTY = new MessageFilter([]);

  private readonly words: WordSearch;
  private readonly hosts = new Map<string, Rule>();

  constructor(private readonly rules: readonly Rule[]) {
    const words: [string, Rule][] = [];
    for (const rule of rules) {
      const key = keyOfPattern(rule.kind, rule.pattern);
      if (key === undefined) continue;
      if (rule.kind === 'link') this.hosts.set(key, rule);
      else words.push([key, rule]);
    }
    this.words = new WordSearch(words);
  }

  check(content: string): Filtered {
    if (this.rules.length === 0 || content === '') return { content };
    const text = new FoldedText(content);
    const matches = [...this.words.in(text), ...this.hostsIn(text)];
    const by = (action: FilterAction) => matches.filter(({ rule }) => rule.action === action);
    const [rejected] = by('reject');
    if (rejected) return { rejected: rejected.rule.kind, content };
    const masks = by('mask');
    const [flagged] = by('flag');
    return {
      content: masks.length > 0 ? text.masked(masks) : content,
      ...(flagged && { flaggedBy: flagged.rule.id }),
    };
  }

  /** Of URLs and of bare names alike, as they stand there and as a browser decodes them. */
  private *hostsIn({ codes }: FoldedText): Generator<Match> {
    if (this.hosts.size === 0) return;
    yield* this.namedIn(codes);
    const decoded = percentDecoded(codes);
    if (!decoded) return;
    for (const { rule, start, end } of this.namedIn(decoded.codes))
      yield { rule, start: decoded.at[start] as number, end: decoded.at[end] as number };
  }

  private *namedIn(codes: readonly number[]): Generator<Match> {
    for (const { start, end } of namesIn(codes)) {
      const rule = this.ruleFor(hostOf(String.fromCodePoint(...codes.slice(start, end))));
      if (rule) yield { rule, start, end };
    }
  }

  private ruleFor(host: string): Rule | undefined {
    if (!host.includes('.')) return undefined;
    for (let at = 0; at !== -1; at = nextLabel(host, at)) {
      const rule = this.hosts.get(host.slice(at));
      if (rule) return rule;
    }
    return undefined;
  }
}

const nextLabel = (host: string, at: number) => {
  const dot = host.indexOf('.', at);
  return dot === -1 ? -1 : dot + 1;
};

const DOT = 0x2e;
const IDEOGRAPHIC_DOT = 0x3002;

/** Runs of labels with single dots between them, without dots and hyphens around. */
function* namesIn(codes: readonly number[]): Generator<{ start: number; end: number }> {
  for (let at = 0; at < codes.length; at++) {
    if (!isNameCode(codes[at] as number)) continue;
    const start = at;
    let dots = 0;
    while (at < codes.length && (isNameCode(codes[at] as number) || dotted(codes, at)))
      if (isDot(codes[at++])) dots++;
    if (dots > 0) yield { start: Math.max(start, at - MOST_HOST), end: at };
  }
}

/** A dot inside of a name. */
const dotted = (codes: readonly number[], at: number) => isDot(codes[at]) && isNameCode(codes[at + 1] ?? 0);
const isDot = (code: number | undefined) => code === DOT || code === IDEOGRAPHIC_DOT;

/** As DNS compares it; empty when it is none. */
function hostOf(name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll('\u3002', '.')
    .replace(/^-+|-+$/g, '');
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(plain)) return plain;
  // Node takes a whole address, and would give its host.
  const ascii = /^[\p{L}\p{N}\p{M}_.-]+$/u.test(plain) ? domainToASCII(plain) : '';
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(ascii) ? ascii : '';
}
