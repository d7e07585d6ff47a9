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

/** A message was written. */
export class MessageCreated {
  constructor(
    readonly message: Message,
    /** When its transaction was committed, `performance.now()`. */
    readonly committedAt: number,
  ) {}
}

/** A message has a new state: edited, reacted to, pinned, with new thread counts, or deleted. */
export class MessageChanged {
  constructor(
    readonly message: Message,
    /** Members who may not see it (`history: 'since_join'`). */
    readonly hiddenFrom: readonly string[],
    readonly committedAt: number,
  ) {}
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
