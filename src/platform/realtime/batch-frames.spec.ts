import { CONTRACT_LIMITS } from '../../contract/limits.js';
import type { Message } from '../../contract/views.js';
import { framesOf } from './batch-frames.js';

const message = (seq: number, content = ''): Message => ({
  id: String(seq),
  roomId: 'r',
  seq,
  rev: seq,
  type: 'text',
  sender: { id: 'u', name: 'U' },
  content,
  reactions: [],
  mentions: [],
  createdAt: '',
});
const run = (length: number, content?: string) =>
  Array.from({ length }, (_, index) => message(index + 1, content));
const sizes = (frames: Message[][]) => frames.map(({ length }) => length);

describe('framesOf', () => {
  it('keeps the order and every message', () => {
    const messages = run(250, 'x');
    expect(framesOf(messages).flat()).toEqual(messages);
  });

  it('holds so many messages in a frame', () => {
    expect(CONTRACT_LIMITS.batchMessages).toBe(100);
    expect(sizes(framesOf(run(100)))).toEqual([100]);
    expect(sizes(framesOf(run(250)))).toEqual([100, 100, 50]);
    expect(sizes(framesOf(run(101)))).toEqual([100, 1]);
  });

  it('holds so many bytes in a frame, as they are in UTF-8', () => {
    const long = run(40, 'é'.repeat(5000));
    const bytes = (frame: Message[]) => frame.reduce((sum, each) => sum + size(each), 0);
    const size = (each: Message) => Buffer.byteLength(JSON.stringify(each));
    const frames = framesOf(long);
    expect(frames.length).toBe(2);
    expect(bytes(frames[0]!)).toBeLessThanOrEqual(CONTRACT_LIMITS.batchBytes);
    expect(bytes([...frames[0]!, frames[1]![0]!])).toBeGreaterThan(CONTRACT_LIMITS.batchBytes);
  });

  it('gives a message that is too large a frame of its own', () => {
    const large = 'x'.repeat(CONTRACT_LIMITS.batchBytes);
    expect(sizes(framesOf([message(1), message(2, large), message(3), message(4)]))).toEqual([1, 1, 2]);
  });
});
