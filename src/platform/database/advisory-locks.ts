/**
 * The numbers of every advisory lock, in one place: two that were alike would make strangers wait for each other.
 * The same in every version of Parley,
 * because versions meet while nodes are replaced. What a lock means is said where it is taken.
 */
export const ADVISORY_LOCKS = {
  migration: 7_022_771_001,
  administrators: 7_215_001,
  moderation: 7_215_002,
  jobs: 7_215_003,
  audit: 7_215_004,
  deciding: 7_215_005,
  announcing: 7_215_006,
} as const;
