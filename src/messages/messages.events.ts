import type { Message } from '../contract/views.js';

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
