import { domainToASCII } from 'node:url';
import type { FilterAction, FilterKind } from '../contract/moderation.js';
import { FoldedText, foldedPattern, isNameCode } from './folded-text.js';

export interface Rule {
  id: string;
  kind: FilterKind;
  pattern: string;
  action: FilterAction;
}

/** What the rules make of a text. */
export interface Filtered {
  /** What kind of thing forbids the text as a whole. */
  rejected?: FilterKind;
  /** With stars, as many characters as before. */
  content: string;
  /** The first rule that wants it to be seen by a moderator. */
  flaggedBy?: string;
}

interface Match {
  rule: Rule;
  start: number;
  end: number;
}

/** A letter on the way through the words and phrases. */
interface Node {
  next: Map<number, Node>;
  rule?: Rule;
}

/** Characters of a DNS name. */
const MOST_HOST = 253;

/** How a pattern is compared, one text for all its spellings; nothing when it can match nothing. */
export function keyOfPattern(kind: FilterKind, pattern: string): string | undefined {
  const key = kind === 'word' ? String.fromCodePoint(...foldedPattern(pattern)) : hostOf(pattern);
  return key === '' ? undefined : key;
}

/**
 * One version of the rules, ready to be asked. Words are looked up in a tree from each place where one can begin, hosts by
 * their endings: nothing of a pattern is ever executed, and the time grows with the text, not with the number of rules.
 */
export class MessageFilter {
  static readonly EMPTY = new MessageFilter([]);

  private readonly words: Node = { next: new Map() };
  private readonly hosts = new Map<string, Rule>();

  constructor(private readonly rules: readonly Rule[]) {
    for (const rule of rules) {
      const key = keyOfPattern(rule.kind, rule.pattern);
      if (key === undefined) continue;
      if (rule.kind === 'link') this.hosts.set(key, rule);
      else this.addWord(key, rule);
    }
  }

  check(content: string): Filtered {
    if (this.rules.length === 0 || content === '') return { content };
    const text = new FoldedText(content);
    const matches = [...this.wordsIn(text), ...this.hostsIn(text)];
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

  private addWord(key: string, rule: Rule): void {
    let node = this.words;
    for (const character of key) {
      const code = character.codePointAt(0) as number;
      let next = node.next.get(code);
      if (!next) node.next.set(code, (next = { next: new Map() }));
      node = next;
    }
    node.rule = rule;
  }

  private *wordsIn(text: FoldedText): Generator<Match> {
    if (this.words.next.size === 0) return;
    for (let start = 0; start < text.codes.length; start++) {
      if (!this.words.next.has(text.codes[start] as number) || !text.isBoundary(start)) continue;
      let node: Node | undefined = this.words;
      for (let end = start; node; end++) {
        if (node.rule && text.isBoundary(end)) yield { rule: node.rule, start, end };
        node = end < text.codes.length ? node.next.get(text.codes[end] as number) : undefined;
      }
    }
  }

  /** Of URLs and of bare names alike. */
  private *hostsIn(text: FoldedText): Generator<Match> {
    if (this.hosts.size === 0) return;
    for (const { start, end } of namesIn(text.codes)) {
      const rule = this.ruleFor(hostOf(String.fromCodePoint(...text.codes.slice(start, end))));
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
