import type { MemberRole } from '../contract/views.js';

/** Somebody became a member; by somebody else's hand when `added`. */
export class MemberJoined {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly username: string,
    readonly added: boolean,
  ) {}
}

export class MemberLeft {
  constructor(
    readonly roomId: string,
    readonly userId: string,
    readonly username: string,
    readonly reason: 'left' | 'kicked',
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
