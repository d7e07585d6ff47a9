import type { FilterAction } from '../contract/moderation.js';
import { isBoundary, type FoldedText } from './folded-text.js';
import type { Match, Rule } from './filter-match.js';

/** A place in the tree of all words and phrases. */
interface Node {
  next: Map<number, Node>;
  /** The longest proper ending of this place's text that is a place too: where to go on when no letter fits. */
  shorter: Node | undefined;
  /** What ends here, with its length; of each action the longest. */
  ending: Partial<Record<FilterAction, { rule: Rule; length: number }>>;
}

/** Finds any number of words and phrases in one pass (Aho-Corasick): each letter of the text is looked at once, whatever the rules are. */
export class WordSearch {
  private readonly root: Node = { next: new Map(), shorter: undefined, ending: {} };

  constructor(words: Iterable<[key: string, Rule]>) {
    for (const [key, rule] of words) this.add(key, rule);
    this.link();
  }

  *in(text: FoldedText): Generator<Match> {
    if (this.root.next.size === 0) return;
    let node = this.root;
    for (let at = 0; at < text.codes.length; at++) {
      node = follow(node, letter(text.codes, at)) ?? this.root;
      const end = at + 1;
      if (node === this.root || !isBoundary(text.codes, end)) continue;
      for (const { rule, length } of Object.values(node.ending)) yield { rule, start: end - length, end };
    }
  }

  private add(key: string, rule: Rule): void {
    const codes = Array.from(key, (character) => character.codePointAt(0) as number);
    let node = this.root;
    for (let at = 0; at < codes.length; at++) {
      const code = letter(codes, at);
      let next = node.next.get(code);
      if (!next) node.next.set(code, (next = { next: new Map(), shorter: undefined, ending: {} }));
      node = next;
    }
    node.ending[rule.action] = { rule, length: codes.length };
  }

  /** In the order of length, so that what is shorter is complete. */
  private link(): void {
    const nodes = [this.root];
    for (const node of nodes)
      for (const [code, next] of node.next) {
        next.shorter = (node.shorter && follow(node.shorter, code)) ?? this.root;
        next.ending = { ...next.shorter.ending, ...next.ending };
        nodes.push(next);
      }
  }
}

/** A code, and whether a word can begin in front of it: then a word matches only where it begins. */
const letter = (codes: readonly number[], at: number) =>
  2 * (codes[at] as number) + (isBoundary(codes, at) ? 1 : 0);

function follow(from: Node, code: number): Node | undefined {
  for (let node: Node | undefined = from; node; node = node.shorter) {
    const next = node.next.get(code);
    if (next) return next;
  }
  return undefined;
}
