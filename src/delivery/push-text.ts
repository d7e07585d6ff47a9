import type { PushPayload } from '../contract/rest.js';

/** Push services take 4096 bytes, encryption included. */
const MOST_BYTES = 3000;
/** Code points of the body, tried in turn. */
const LENGTHS = [500, 250, 100, 0];

/** The payload as JSON that fits: its body is shortened, and if that is not enough the link is left out. */
export function pushText(payload: PushPayload): string {
  const { url: _, ...withoutLink } = payload;
  for (const most of [payload, withoutLink])
    for (const length of LENGTHS) {
      const text = JSON.stringify({ ...most, body: firstOf(most.body, length) });
      if (Buffer.byteLength(text) <= MOST_BYTES) return text;
    }
  return JSON.stringify({ ...withoutLink, title: firstOf(payload.title, 100), body: '' });
}

function firstOf(text: string, codePoints: number): string {
  const points = [...text];
  return points.length <= codePoints ? text : `${points.slice(0, Math.max(0, codePoints - 1)).join('')}…`;
}
