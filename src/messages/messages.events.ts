import type { Message } from '../contract/views.js';
import type { OutboxTopic } from '../platform/outbox/outbox-topic.js';

/** What the outbox carries of a message: whoever handles it reads the rest, as it is by then. */
export interface MessageFact {
  messageId: string;
  roomId: string;
}

/**
 * A message with a cause to notify somebody: in a direct room, with mentions, in reply, in a thread, or in a room where
 * some member wants to hear of every message.
 */
export const MESSAGE_SENT = 'message.sent' as OutboxTopic<MessageFact>;
/** A message became a tombstone. May be handled before its `message.sent`. */
export const MESSAGE_DELETED = 'message.deleted' as OutboxTopic<MessageFact>;

/** A filter rule wants a moderator to see a message: what it said when it was written. */
export interface FlaggedMessage extends MessageFact {
  senderId: string;
  content: string;
  ruleId: string;
}
export const MESSAGE_FLAGGED = 'message.flagged' as OutboxTopic<FlaggedMessage>;

/**
 * A message was written, or has a new state: edited, reacted to, pinned, with new thread counts, or deleted. Members in
 * `hiddenFrom` may not see it (`history: 'since_join'`).
 */
export type CommittedChange =
  | { readonly kind: 'created'; readonly message: Message }
  | { readonly kind: 'changed'; readonly message: Message; readonly hiddenFrom: readonly string[] };

/** What one transaction did to the messages of a room, in `rev` order. */
export class MessagesCommitted {
  private news: readonly Message[] | undefined;

  constructor(
    readonly roomId: string,
    readonly changes: readonly CommittedChange[],
    /** `performance.now()`; of another node's, when this one heard of it. */
    readonly committedAt: number,
    /** This node has written it. */
    readonly isOurs = true,
  ) {}

  /** The new messages among them. */
  get created(): readonly Message[] {
    return (this.news ??= this.changes.flatMap(({ kind, message }) => (kind === 'created' ? [message] : [])));
  }
}

/** A user has moved their read position. */
export class MessagesRead {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly seq: number,
    /** Of the room, to decide whether others are told. */
    readonly memberCount: number,
  ) {}
}
