import type { Actor } from '../platform/identity/actor.js';
import type { ActiveRestriction } from '../rooms/restrictions.policy.js';
import { pairKey, type LedgerState, type TargetState } from './batch-state.js';
import type { DeleteChange, MessageChange } from './message-change.js';
import { MessageFilter } from './message-filter.js';
import { MessageLedger } from './message-ledger.js';

const NOW = new Date('2030-01-01T00:00:00Z');
const actor: Actor = { userId: 'bob', username: 'bob', name: 'Bob', role: 'user', expiresAt: 0 };
const filter = new MessageFilter([
  { id: 'r1', kind: 'word', pattern: 'forbidden', action: 'reject' },
  { id: 'r2', kind: 'word', pattern: 'darn', action: 'mask' },
  { id: 'r3', kind: 'word', pattern: 'odd', action: 'flag' },
]);

const own: TargetState = {
  id: 'm1',
  roomId: 'hall',
  seq: 1,
  rev: 1,
  senderId: 'bob',
  type: 'text',
  content: 'hello',
  hasData: false,
  threadId: null,
  threadReplies: 0,
  threadLastReplyAt: null,
  pinnedAt: null,
  editedAt: null,
  deletedAt: null,
  deletedBy: null,
  deleteReason: null,
  emojis: new Set(),
};

function state(
  restriction: ActiveRestriction | null,
  room: { frozen?: boolean; slow?: number } = {},
): LedgerState {
  return {
    now: NOW,
    filterVersion: 1,
    rooms: new Map([
      [
        'hall',
        {
          id: 'hall',
          type: 'public',
          history: 'full',
          lastSeq: 1,
          lastRev: 1,
          slowModeSeconds: room.slow ?? 0,
          archived: false,
          frozen: room.frozen ?? false,
          notifyAll: false,
        },
      ],
    ]),
    suspended: new Set(),
    administrators: new Set(),
    members: new Map([
      [
        pairKey('hall', 'bob'),
        {
          roomId: 'hall',
          userId: 'bob',
          role: 'member',
          name: 'Bob',
          avatarUrl: null,
          lastSentAt: NOW.getTime(),
          historyFromSeq: 0,
          restriction,
        },
      ],
    ]),
    targets: new Map([['m1', { ...own }]]),
    kept: new Map(),
    firstSends: new Map([
      [
        pairKey('bob', 'known'),
        { requestHash: 'h', result: { messageId: 'm1', seq: 1, rev: 1, createdAt: NOW.toISOString() } },
      ],
    ]),
    reactions: new Set(),
  };
}

const send = (content: string, clientMessageId?: string): MessageChange => ({
  kind: 'send',
  inDoubt: false,
  actor,
  roomId: 'hall',
  messageId: 'm2',
  input: { roomId: 'hall', content, type: 'text', ...(clientMessageId !== undefined && { clientMessageId }) },
  requestHash: 'h',
});
const edit = (content: string): MessageChange => ({
  kind: 'edit',
  actor,
  roomId: 'hall',
  messageId: 'm1',
  content,
});
const remove: DeleteChange = {
  kind: 'delete',
  actor,
  roomId: 'hall',
  messageId: 'm1',
  reason: null,
  requestId: undefined,
};
const react: MessageChange = { kind: 'react', actor, roomId: 'hall', messageId: 'm1', emoji: '👍', on: true };

const mute: ActiveRestriction = { scope: 'hall', kind: 'mute', until: null };
const ban: ActiveRestriction = { scope: '*', kind: 'ban', until: new Date('2031-01-01T00:00:00Z') };

function decide(change: MessageChange, on: LedgerState) {
  const ledger = new MessageLedger(on, filter);
  const verdict = ledger.decide(change);
  return { ledger, verdict, code: verdict.kind === 'refused' ? verdict.error.code : verdict.kind };
}

describe('MessageLedger and moderation', () => {
  it.each([
    ['nobody', null, { send: 'sent', edit: 'changed', react: 'changed', remove: 'changed' }],
    ['who is muted', mute, { send: 'MUTED', edit: 'MUTED', react: 'MUTED', remove: 'changed' }],
    ['who is banned', ban, { send: 'BANNED', edit: 'BANNED', react: 'BANNED', remove: 'BANNED' }],
  ])('refuses %s', (_who, restriction, expected) => {
    const codes = Object.entries({ send: send('x'), edit: edit('x'), react, remove }).map(
      ([name, change]) => [name, decide(change, state(restriction)).code],
    );
    expect(Object.fromEntries(codes)).toEqual(expected);
  });

  it('decides in this order: duplicates, restrictions, the room, slow mode, the rules', () => {
    const closed = { frozen: true, slow: 60 };
    expect(decide(send('forbidden', 'known'), state(ban, closed)).verdict).toMatchObject({
      kind: 'sent',
      result: { messageId: 'm1', deduplicated: true },
    });
    expect(decide(send('forbidden'), state(mute, closed)).code).toBe('MUTED');
    expect(decide(send('forbidden'), state(null, closed)).code).toBe('ROOM_FROZEN');
    expect(decide(send('forbidden'), state(null, { slow: 60 })).code).toBe('SLOW_MODE');
    expect(decide(send('forbidden'), state(null)).code).toBe('CONTENT_REJECTED');
  });

  it('refuses everything that was queued before the account was suspended, but for what was there before', () => {
    const closed = () => ({ ...state(null), suspended: new Set(['bob']) });
    const asAdministrator: MessageChange = {
      ...remove,
      actor: { ...actor, role: 'admin' },
      asAdministrator: true,
    };
    for (const change of [send('x'), edit('x'), react, remove, asAdministrator])
      expect([change.kind, decide(change, closed()).code]).toEqual([change.kind, 'SUSPENDED']);
    expect(decide(send('x', 'known'), closed()).code).toBe('sent');
  });

  /** The role was read when the request came: whoever lost it while the deletion was queued still deleted. */
  it('takes an administrator by their role of this moment', () => {
    const asAdministrator: MessageChange = {
      ...remove,
      actor: { ...actor, userId: 'root', role: 'admin' },
      asAdministrator: true,
    };
    expect(decide(asAdministrator, state(null)).code).toBe('FORBIDDEN');
    const inForce = { ...state(null), administrators: new Set(['root']) };
    expect(decide(asAdministrator, inForce).verdict).toMatchObject({ kind: 'changed' });
  });

  it('lists the deletions by the hand of another, once', () => {
    const moderator: MessageChange = { ...remove, actor: { ...actor, userId: 'ann' } };
    const before = state(null);
    const ann = { ...before.members.get(pairKey('hall', 'bob'))!, userId: 'ann', role: 'admin' as const };
    before.members.set(pairKey('hall', 'ann'), ann);
    const ledger = new MessageLedger(before, filter);
    for (const change of [moderator, moderator, remove]) ledger.decide(change);
    expect(ledger.moderatedDeletions.map(({ change }) => change)).toEqual([moderator]);
    expect(decide(remove, state(null)).ledger.moderatedDeletions).toEqual([]);
  });

  it('leaves no trace of what a rule rejects', () => {
    const before = state(null);
    const { ledger, verdict } = decide(send('so forbidden'), before);
    expect(verdict).toMatchObject({
      error: { details: [{ path: 'content', problem: 'contains a word that is not allowed' }] },
    });
    expect([ledger.inserted, ledger.facts, ledger.sentBy.size, before.rooms.get('hall')?.lastSeq]).toEqual([
      [],
      [],
      0,
      1,
    ]);
  });

  it('writes what the mask leaves, and no rev for an edit that comes to the same', () => {
    const sent = decide(send('darn it'), state(null));
    expect(sent.ledger.inserted[0]?.view.content).toBe('**** it');
    const first = decide(edit('darn'), state(null));
    expect(first.ledger.changed.get('m1')).toMatchObject({ content: '****', rev: 2 });
    const masked = state(null);
    masked.targets.set('m1', { ...own, content: '****' });
    expect(decide(edit('darn'), masked).ledger.changed.size).toBe(0);
  });

  it('leaves a fact of what a rule flags, with what it said', () => {
    const sent = decide(send('how odd, darn'), state(null));
    expect(sent.ledger.facts).toEqual([
      {
        topic: 'message.flagged',
        payload: { messageId: 'm2', roomId: 'hall', senderId: 'bob', content: 'how odd, ****', ruleId: 'r3' },
      },
    ]);
    const edited = decide(edit('odd'), state(null));
    expect(edited.ledger.facts).toMatchObject([
      { payload: { messageId: 'm1', content: 'odd', ruleId: 'r3' } },
    ]);
  });
});
