import type { MemberRole } from '../contract/views.js';
import type { OutboxTopic } from '../platform/outbox/outbox-topic.js';

/** Somebody was made a member by somebody else. May have left again by the time it is handled. */
export interface MemberAddedFact {
  roomId: string;
  userId: string;
  byUserId: string;
}
export const MEMBER_ADDED = 'member.added' as OutboxTopic<MemberAddedFact>;

/** A membership ended, however. There may be another by the time it is handled. */
export interface MemberLeftFact {
  roomId: string;
  userId: string;
}
export const MEMBER_LEFT = 'member.left' as OutboxTopic<MemberLeftFact>;

/** Somebody became a member; by somebody else's hand when `added`. */
export class MemberJoined {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly username: string,
    readonly added: boolean,
  ) {}
}

export type LeavingReason = 'left' | 'kicked' | 'banned';

export class MemberLeft {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly username: string,
    readonly reason: LeavingReason,
  ) {}
}

export class MemberRoleChanged {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly role: MemberRole,
  ) {}
}

export class RoomChanged {
  constructor(readonly roomId: string) {}
}
