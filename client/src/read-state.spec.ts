import type { Message, ReadState } from '../../src/contract/views.js';
import { ReadStateView } from './read-state.js';
import { RoomLog } from './room-log.js';

const message = (seq: number, senderId: string, fields: Partial<Message> = {}): Message => ({
  id: `m${String(seq)}`,
  roomId: 'r',
  seq,
  rev: seq,
  type: 'text',
  sender: { id: senderId, name: senderId },
  content: 'x',
  reactions: [],
  mentions: [],
  createdAt: '',
  ...fields,
});
const absolute = (fields: Partial<ReadState>): ReadState => ({
  roomId: 'r',
  lastReadSeq: 0,
  unread: 0,
  mentions: 0,
  version: 1,
  ...fields,
});

function following(history: Message[], hasMore: boolean, state: ReadState) {
  const log = new RoomLog();
  log.start({
    rev: history.at(-1)?.rev ?? 0,
    lastSeq: history.at(-1)?.seq ?? 0,
    messages: history,
    hasMore,
    excerpts: true,
  });
  log.release();
  const view = new ReadStateView(log, () => 'me');
  view.apply(state, true);
  return { log, view };
}

describe('ReadStateView', () => {
  it('derives unread and mentions from what came after the last report', () => {
    const { log, view } = following([message(1, 'a')], false, absolute({ lastReadSeq: 1 }));
    log.receive(message(2, 'a'));
    log.receive(message(3, 'a', { mentions: ['me'] }));
    log.receive(message(4, 'a', { threadId: 'm1' }));
    expect(view.current).toMatchObject({ lastReadSeq: 1, unread: 2, mentions: 1 });
    log.receive({ ...message(2, 'a'), rev: 5, deletedAt: 'now' });
    expect(view.current).toMatchObject({ unread: 1 });
  });

  it('has everything up to an own message read', () => {
    const { log, view } = following([message(1, 'a')], false, absolute({ lastReadSeq: 0, unread: 1 }));
    expect(view.current).toMatchObject({ unread: 1 });
    log.receive(message(2, 'me'));
    expect(view.current).toMatchObject({ lastReadSeq: 2, unread: 0 });
  });

  it('adds to the report what it cannot see itself', () => {
    const { log, view } = following(
      [message(50, 'a'), message(51, 'a')],
      true,
      absolute({ lastReadSeq: 3, unread: 48 }),
    );
    log.receive(message(52, 'a'));
    expect(view.current).toMatchObject({ unread: 49 });
  });

  it('ignores an older report, and caps', () => {
    const { view } = following(
      [message(50, 'a')],
      true,
      absolute({ lastReadSeq: 3, unread: 100, version: 7 }),
    );
    view.apply(absolute({ lastReadSeq: 1, unread: 3, version: 6 }));
    expect(view.current).toMatchObject({ lastReadSeq: 3, unread: 100 });
  });

  it('gives the same object until something changes', () => {
    const { log, view } = following([message(1, 'a')], false, absolute({}));
    const first = view.current;
    expect(view.current).toBe(first);
    log.receive(message(2, 'a'));
    expect(view.current).not.toBe(first);
  });
});
