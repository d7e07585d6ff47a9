import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { Message } from '../../contract/views.js';

const { batchMessages, batchBytes } = CONTRACT_LIMITS;

/**
 * Cuts messages that follow each other into what one `message:batch` may hold, in their order. Measured by what
 * `JSON.stringify` makes of each: about 1 us, once for all receivers.
 */
export function framesOf(messages: readonly Message[]): Message[][] {
  let frame: Message[] = [];
  let bytes = 0;
  const frames = [frame];
  for (const message of messages) {
    const more = Buffer.byteLength(JSON.stringify(message));
    if (frame.length > 0 && (frame.length >= batchMessages || bytes + more > batchBytes)) {
      frames.push((frame = []));
      bytes = 0;
    }
    frame.push(message);
    bytes += more;
  }
  return frames;
}
