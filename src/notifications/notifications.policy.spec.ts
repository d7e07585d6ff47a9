import type { NotificationCause, NotifyLevel } from '../contract/notifications.js';
import { preferenceFor, refusalInRoom } from './notifications.policy.js';

const message = {
  seq: 5,
  senderId: 'author',
  threadId: null as string | null,
  deleted: false,
  roomType: 'public' as 'public' | 'direct',
};
const member = {
  lastReadSeq: 0,
  historyFromSeq: 0,
  notifyLevel: null as NotifyLevel | null,
  muted: false,
  suspended: false,
};
const refuse = (
  changes: Partial<typeof message> = {},
  who: Partial<typeof member> = {},
  cause: NotificationCause = 'mention',
) => refusalInRoom({ ...message, ...changes }, 'reader', { ...member, ...who }, cause);

describe('who is told of a message', () => {
  it('is decided by the first rule that applies', () => {
    // Everything speaks against it; from the front, one after the other is taken away.
    const worst = {
      suspended: true,
      historyFromSeq: 5,
      lastReadSeq: 5,
      muted: true,
      notifyLevel: 'none' as const,
    };
    expect(
      refusalInRoom({ ...message, deleted: true, senderId: 'reader' }, 'reader', undefined, 'direct'),
    ).toBe('own_message');
    expect(refusalInRoom({ ...message, deleted: true }, 'reader', undefined, 'direct')).toBe(
      'message_deleted',
    );
    expect(refusalInRoom(message, 'reader', undefined, 'direct')).toBe('not_a_member');
    expect(refuse({}, worst)).toBe('suspended');
    expect(refuse({}, { ...worst, suspended: false })).toBe('hidden_history');
    expect(refuse({}, { ...worst, suspended: false, historyFromSeq: 4 })).toBe('already_read');
    expect(refuse({}, { muted: true, notifyLevel: 'mentions' }, 'message')).toBe('muted_room');
    expect(refuse({}, { notifyLevel: 'none' }, 'message')).toBe('muted_room');
    expect(refuse({}, { notifyLevel: 'mentions' }, 'message')).toBe('room_level');
    expect(refuse()).toBeUndefined();
  });

  it('does not ask the read position about replies in threads', () => {
    expect(refuse({ threadId: 'root' }, { lastReadSeq: 9 })).toBeUndefined();
  });

  it.each<[NotificationCause, NotifyLevel | null, 'public' | 'direct', string | undefined]>([
    ['mention', 'mentions', 'public', undefined],
    ['room_mention', 'mentions', 'public', undefined],
    ['reply', 'mentions', 'direct', undefined],
    ['thread', null, 'public', undefined],
    ['message', null, 'public', 'room_level'],
    ['message', 'all', 'public', undefined],
    ['direct', null, 'direct', undefined],
    ['direct', 'mentions', 'direct', 'room_level'],
    ['mention', 'none', 'direct', 'muted_room'],
  ])('%s with the level %s in a %s room: %s', (cause, notifyLevel, roomType, reason) => {
    expect(refuse({ roomType }, { notifyLevel }, cause)).toBe(reason);
  });
});

describe('what a person prefers', () => {
  const noon = new Date('2026-01-10T12:00:00Z');
  const always = { from: '00:01', to: '00:00', timeZone: 'UTC' };

  it('is asked about the kind first, then about the hour', () => {
    const off = { direct: { inApp: false } };
    expect(preferenceFor('direct', { kinds: off, quietHours: always }, noon)).toEqual({
      reason: 'muted_kind',
      channels: { inApp: false, push: false, email: false },
    });
    expect(preferenceFor('direct', { kinds: null, quietHours: always }, noon)).toEqual({
      reason: 'quiet_hours',
      channels: { inApp: true, push: false, email: false },
    });
    expect(preferenceFor('direct', { kinds: { direct: { push: false } }, quietHours: null }, noon)).toEqual({
      reason: 'notified',
      channels: { inApp: true, push: false, email: true },
    });
  });
});
