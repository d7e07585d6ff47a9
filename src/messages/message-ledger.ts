import type { SentMessage } from '../contract/chat.js';
import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { Message } from '../contract/views.js';
import { AppError } from '../platform/errors/app-error.js';
import {
  pairKey,
  reactionKey,
  type FirstSend,
  type LedgerState,
  type MemberState,
  type RoomState,
  type TargetState,
} from './batch-state.js';
import type {
  DeleteChange,
  EditChange,
  MessageChange,
  PinChange,
  ReactChange,
  SendChange,
} from './message-change.js';
import type { OutboxFact } from '../platform/outbox/outbox-topic.js';
import type { Filtered, MessageFilter } from './message-filter.js';
import { excerptOf } from './message.view.js';
import { assertCapability, assertOpenForWriting, notInRoom, roomNotFound } from '../rooms/rooms.policy.js';
import { assertMayWrite, assertNotBanned } from '../rooms/restrictions.policy.js';
import { MESSAGE_DELETED, MESSAGE_FLAGGED, MESSAGE_SENT, type FlaggedMessage } from './messages.events.js';
import {
  assertAllowed,
  assertNotTooSoon,
  assertSays,
  hasCauseToNotify,
  messageNotFound,
} from './messages.policy.js';

export interface NewMessage {
  view: Message;
  requestHash: string | null;
}

/** What one change came to. A `changed` message is read back after it is written. */
export type Verdict =
  | { kind: 'sent'; result: SentMessage }
  | { kind: 'changed'; messageId: string }
  | { kind: 'refused'; error: AppError };

export interface ReactionChange {
  messageId: string;
  emoji: string;
  userId: string;
  on: boolean;
}

export interface ModeratedDeletion {
  change: DeleteChange;
  target: TargetState;
}

/**
 * Decides a batch of changes in the order they came, with no I/O: duplicates first, then who may, then the
 * next `seq` and `rev`. A refused change leaves no trace. A message changed twice in one batch takes one `rev`,
 * at its first change, and shows its last state.
 */
export class MessageLedger {
  readonly inserted: NewMessage[] = [];
  readonly changed = new Map<string, TargetState>();
  /** New messages that an earlier attempt has written: nobody has been told of them. */
  readonly kept: string[] = [];
  readonly reactionChanges: ReactionChange[] = [];
  /** Who wrote, and their newest message outside threads (else 0): their read position moves there. */
  readonly sentBy = new Map<string, { roomId: string; userId: string; seq: number }>();

  /** What moderators and administrators took away: each is an act to be audited in the transaction of the batch. */
  readonly moderatedDeletions: ModeratedDeletion[] = [];

  /** For the outbox: what higher features must learn of. */
  readonly facts: OutboxFact[] = [];

  /** Of all messages of the batch. */
  createdAt: string;

  constructor(
    private readonly state: LedgerState,
    private readonly filter: MessageFilter,
  ) {
    this.createdAt = state.now.toISOString();
  }

  /** The time of a batch that was decided before the database had told it. */
  stamp(now: Date, verdicts: readonly Verdict[]): void {
    this.createdAt = now.toISOString();
    for (const { view } of this.inserted) view.createdAt = this.createdAt;
    for (const verdict of verdicts) if (verdict.kind === 'sent') verdict.result.createdAt = this.createdAt;
  }

  decide(change: MessageChange): Verdict {
    try {
      return change.kind === 'send' ? this.send(change) : this.change(change);
    } catch (error) {
      if (error instanceof AppError) return { kind: 'refused', error };
      throw error;
    }
  }

  private send(change: SendChange): Verdict {
    const { actor, roomId, input, messageId, requestHash } = change;
    const kept = this.state.kept.get(messageId);
    if (kept) {
      this.kept.push(messageId);
      return { kind: 'sent', result: { ...kept, deduplicated: false } };
    }
    const repeated = this.firstSend(change);
    if (repeated) return { kind: 'sent', result: { ...repeated, deduplicated: true } };

    this.assertNotSuspended(change);
    const { now } = this.state;
    const { room, member } = this.membership(actor.userId, roomId, roomNotFound);
    assertMayWrite(member.restriction);
    assertOpenForWriting(room);
    assertCapability({ room, member }, 'message:send');
    assertNotTooSoon(room, member, now);
    const replyTo = input.replyTo === undefined ? undefined : this.visible(member, input.replyTo, 'replyTo');
    const root = input.threadId === undefined ? undefined : this.threadRoot(member, input.threadId);
    const mentions = this.mentioned(room, member, input.mentions ?? []);
    const { content, flaggedBy } = this.allowed(input.content);

    // No spreads here: what is not there is undefined, so that all messages are of one hidden class. On the wire it is left out.
    const view: Message = {
      id: messageId,
      roomId,
      seq: ++room.lastSeq,
      rev: ++room.lastRev,
      type: input.type,
      data: input.data ?? undefined,
      sender: { id: actor.userId, name: member.name, avatarUrl: member.avatarUrl ?? undefined },
      content,
      clientMessageId: input.clientMessageId,
      replyTo: replyTo && {
        id: replyTo.id,
        seq: replyTo.seq,
        excerpt: room.history === 'full' ? excerptOf(replyTo.content) : '',
      },
      threadId: root?.id,
      reactions: [],
      mentions,
      createdAt: this.createdAt,
    };
    this.inserted.push({ view, requestHash });
    if (hasCauseToNotify(room, view))
      this.facts.push({ topic: MESSAGE_SENT, payload: { messageId, roomId } });
    this.flag(flaggedBy, { messageId, roomId, senderId: actor.userId, content });
    const { seq, rev, createdAt } = view;
    if (input.clientMessageId !== undefined)
      this.state.firstSends.set(pairKey(actor.userId, input.clientMessageId), {
        requestHash,
        result: { messageId, seq, rev, createdAt },
      });
    member.lastSentAt = now.getTime();
    this.noteSender(roomId, actor.userId, root ? 0 : view.seq);
    if (root) {
      root.threadReplies += 1;
      root.threadLastReplyAt = now;
      this.touch(room, root);
    }
    return { kind: 'sent', result: { messageId, seq, rev, createdAt, deduplicated: false } };
  }

  /** The sender's own earlier request with this id. It counts before any rule, also after a kick or a deletion. */
  private firstSend({ actor, input, requestHash }: SendChange): FirstSend['result'] | undefined {
    if (input.clientMessageId === undefined) return undefined;
    const first = this.state.firstSends.get(pairKey(actor.userId, input.clientMessageId));
    if (first && first.requestHash !== requestHash)
      throw new AppError('IDEMPOTENCY_CONFLICT', 'This clientMessageId was used for another request');
    return first?.result;
  }

  private change(change: Exclude<MessageChange, SendChange>): Verdict {
    this.assertNotSuspended(change);
    if (change.kind === 'delete' && change.asAdministrator) return this.deleteAsAdministrator(change);
    const { room, member } = this.membership(change.actor.userId, change.roomId, messageNotFound);
    if (change.kind === 'delete') assertNotBanned(member.restriction);
    else assertMayWrite(member.restriction);
    const target = this.visible(member, change.messageId, undefined, change.kind === 'delete');
    assertOpenForWriting(room);
    switch (change.kind) {
      case 'edit':
        this.edit(room, target, change);
        break;
      case 'delete':
        if (target.senderId !== change.actor.userId) assertCapability({ room, member }, 'message:delete');
        this.delete(room, target, change);
        break;
      case 'react':
        this.react(room, member, target, change);
        break;
      case 'pin':
        this.pin(room, member, target, change);
    }
    return { kind: 'changed', messageId: target.id };
  }

  private edit(room: RoomState, target: TargetState, { actor, content }: EditChange): void {
    if (target.senderId !== actor.userId) throw new AppError('FORBIDDEN', 'Only the author edits a message');
    assertSays(content, target.hasData);
    if (content === target.content) return;
    const filtered = this.allowed(content);
    if (filtered.content === target.content) return;
    target.content = filtered.content;
    target.editedAt = this.state.now;
    this.touch(room, target);
    this.flag(filtered.flaggedBy, { ...target, messageId: target.id });
  }

  /** What the rules leave of a text that is about to be written; the request it came with stays what it was. */
  private allowed(content: string): Filtered {
    const filtered = this.filter.check(content);
    assertAllowed(filtered.rejected);
    return filtered;
  }

  private flag(ruleId: string | undefined, message: Omit<FlaggedMessage, 'ruleId'>): void {
    if (ruleId === undefined) return;
    const { messageId, roomId, senderId, content } = message;
    const payload: FlaggedMessage = { messageId, roomId, senderId, content, ruleId };
    this.facts.push({ topic: MESSAGE_FLAGGED, payload });
  }

  /** Also in rooms the administrator is not in, and in closed ones. */
  private deleteAsAdministrator(change: DeleteChange): Verdict {
    if (!this.state.administrators.has(change.actor.userId))
      throw new AppError('FORBIDDEN', 'Only administrators do this');
    const room = this.state.rooms.get(change.roomId);
    const target = this.state.targets.get(change.messageId);
    if (!room || target?.roomId !== room.id) throw messageNotFound();
    this.delete(room, target, change);
    return { kind: 'changed', messageId: target.id };
  }

  private delete(room: RoomState, target: TargetState, change: DeleteChange): void {
    if (target.deletedAt) return;
    const { actor, reason } = change;
    if (target.senderId !== actor.userId || change.asAdministrator)
      this.moderatedDeletions.push({ change, target });
    target.deletedAt = this.state.now;
    target.deletedBy = actor.userId;
    target.deleteReason = reason;
    target.content = '';
    target.pinnedAt = null;
    this.facts.push({ topic: MESSAGE_DELETED, payload: { messageId: target.id, roomId: room.id } });
    this.touch(room, target);
    const root = target.threadId === null ? undefined : this.state.targets.get(target.threadId);
    if (!root) return;
    root.threadReplies -= 1;
    if (root.threadReplies === 0) root.threadLastReplyAt = null;
    this.touch(room, root);
  }

  private react(
    room: RoomState,
    member: MemberState,
    target: TargetState,
    { actor, emoji, on }: ReactChange,
  ): void {
    assertCapability({ room, member }, 'message:react');
    const key = reactionKey(target.id, emoji, actor.userId);
    const { reactions } = this.state;
    if (reactions.has(key) === on) return;
    if (on && !target.emojis.has(emoji) && target.emojis.size >= CONTRACT_LIMITS.emojisPerMessage)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `A message has at most ${String(CONTRACT_LIMITS.emojisPerMessage)} different reactions`,
      );
    if (on) {
      reactions.add(key);
      target.emojis.add(emoji);
    } else {
      reactions.delete(key);
    }
    this.reactionChanges.push({ messageId: target.id, emoji, userId: actor.userId, on });
    this.touch(room, target);
  }

  private pin(room: RoomState, member: MemberState, target: TargetState, { on }: PinChange): void {
    assertCapability({ room, member }, 'message:pin');
    if ((target.pinnedAt !== null) === on) return;
    target.pinnedAt = on ? this.state.now : null;
    this.touch(room, target);
  }

  /** Nobody speaks from a closed account, not even what was queued before it was closed. */
  private assertNotSuspended({ actor }: MessageChange): void {
    if (this.state.suspended.has(actor.userId)) throw new AppError('SUSPENDED', 'The account is suspended');
  }

  private membership(
    userId: string,
    roomId: string,
    notFound: () => AppError,
  ): { room: RoomState; member: MemberState } {
    const room = this.state.rooms.get(roomId);
    const member = this.state.members.get(pairKey(roomId, userId));
    if (room && member) return { room, member };
    throw notInRoom(room, notFound);
  }

  /** A message of the member's room that they can see. */
  private visible(
    member: MemberState,
    id: string,
    path: string | undefined,
    deletedToo = false,
  ): TargetState {
    const target = this.state.targets.get(id);
    if (
      target?.roomId === member.roomId &&
      target.seq > member.historyFromSeq &&
      (deletedToo || !target.deletedAt)
    )
      return target;
    throw new AppError(
      'NOT_FOUND',
      'There is no such message',
      path === undefined ? {} : { details: [{ path, problem: 'is not a message of this room' }] },
    );
  }

  private threadRoot(member: MemberState, id: string): TargetState {
    const root = this.visible(member, id, 'threadId');
    if (root.threadId !== null) throw AppError.invalid('threadId', 'is itself a reply in a thread');
    return root;
  }

  private mentioned(room: RoomState, member: MemberState, mentions: string[]): string[] {
    mentions.forEach((userId, index) => {
      if (userId === '@room') assertCapability({ room, member }, 'message:mention-room');
      else if (!this.state.members.has(pairKey(room.id, userId)))
        throw AppError.invalid(`mentions.${String(index)}`, 'is not a member of the room');
    });
    return mentions;
  }

  private noteSender(roomId: string, userId: string, seq: number): void {
    const key = pairKey(roomId, userId);
    const known = this.sentBy.get(key);
    if (known) known.seq = Math.max(seq, known.seq);
    else this.sentBy.set(key, { roomId, userId, seq });
  }

  private touch(room: RoomState, target: TargetState): void {
    if (this.changed.has(target.id)) return;
    target.rev = ++room.lastRev;
    this.changed.set(target.id, target);
  }
}
