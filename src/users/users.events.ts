import type { UserRole } from '../contract/views.js';

export class UserRoleChanged {
  constructor(
    readonly userId: string,
    readonly role: UserRole,
  ) {}
}

/** The account is closed: no request, no sign-in and no socket until it is resumed. */
export class UserSuspended {
  constructor(readonly userId: string) {}
}
