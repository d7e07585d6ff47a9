/** The name or the picture of a user is another one now. */
export class UserProfileChanged {
  constructor(
    readonly userId: string,
    readonly name: string,
    readonly avatarUrl: string | undefined,
  ) {}
}
