/** Who asks where nobody is signed in yet. */
export interface Caller {
  /** What limits are counted by, see `addressKey`. */
  readonly address: string;
  readonly userAgent: string | null;
}
