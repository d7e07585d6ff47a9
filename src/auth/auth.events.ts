/** One sign-in ended: by logout, or because an old refresh token of it was used again. */
export class SessionRevoked {
  constructor(
    readonly sessionId: string,
    readonly userId: string,
  ) {}
}

/** Every token of the user that was issued so far is void. */
export class UserTokensRevoked {
  constructor(readonly userId: string) {}
}
