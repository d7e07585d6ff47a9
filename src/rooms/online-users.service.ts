/** Port through which rooms learn who is seen online; `presence` implements it, so that rooms do not know it. */
export abstract class OnlineUsers {
  /** Those of these users whom others see online (or away, or busy). */
  abstract among(userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Users connected to this instance who are not to be seen or counted. */
  abstract invisible(): ReadonlySet<string>;
}
