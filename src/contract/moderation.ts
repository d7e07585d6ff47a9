/** Moderation, over REST (`moderation/*`): by administrators everywhere, by owners and admins of a room in it. */

/**
 * `mute`: cannot write, react, type or signal; reads on. `ban`: in a room the membership ends and cannot begin again;
 * everywhere (no room) the user writes, joins and creates nothing, but reads on (`user:suspend` takes that too).
 */
export type RestrictionKind = 'mute' | 'ban';

export interface Restriction {
  userId: string;
  kind: RestrictionKind;
  /** Absent: everywhere. */
  roomId?: string;
  reason: string;
  /** Absent: until it is lifted. */
  until?: string;
  createdBy: { id: string; name: string };
  createdAt: string;
}

export type FilterKind = 'word' | 'link';
/** `reject`: CONTENT_REJECTED. `mask`: stars instead of the match. `flag`: sent, and reported. */
export type FilterAction = 'reject' | 'mask' | 'flag';

export interface FilterRule {
  id: string;
  kind: FilterKind;
  /** A word or phrase (whole words, any case), or a host name (with its subdomains). 1 to 200 characters. */
  pattern: string;
  action: FilterAction;
  createdAt: string;
}

export type ReportStatus = 'open' | 'resolved' | 'dismissed';

export interface Report {
  id: string;
  messageId: string;
  roomId: string;
  /** Who wrote the message. */
  senderId: string;
  /** What the message said when it was reported; kept when it is edited or deleted. */
  content: string;
  reason: string;
  /** Absent: a filter rule flagged it (then with `ruleId`), or the reader wrote the message and is no administrator. */
  reportedBy?: { id: string; name: string };
  /** The rule that did. */
  ruleId?: string;
  status: ReportStatus;
  /** By whom, when and with what note it was closed. */
  closed?: { by: { id: string; name: string }; at: string; note?: string };
  createdAt: string;
}
