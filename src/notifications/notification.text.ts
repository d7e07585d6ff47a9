import { CONTRACT_LIMITS } from '../contract/limits.js';
import type { NotificationCause, NotificationKind } from '../contract/notifications.js';

/** Code points of a message that stand in its notification. */
const EXCERPT = 200;

/** What a notification says. The only place with words in it. */
export interface NotificationText {
  title: string;
  body: string;
}

/** `roomName` null: a direct room, which is called after whom one talks to. */
export function textOfMessage(
  kind: NotificationKind,
  actorName: string,
  roomName: string | null,
  content: string,
): NotificationText {
  return { title: titleOf(kind, actorName, roomName), body: firstOf(content, EXCERPT) };
}

export function textOfInvite(actorName: string, roomName: string | null): NotificationText {
  return {
    title: firstOf(roomName ?? actorName, CONTRACT_LIMITS.notificationTitleLength),
    body: firstOf(`${actorName} added you`, CONTRACT_LIMITS.notificationBodyLength),
  };
}

/** The start of an announcement, as the inbox shows it. */
export function announcementExcerpt(body: string): string {
  return firstOf(body, CONTRACT_LIMITS.notificationBodyLength);
}

/** By what name the kind of a cause is told. */
export const KIND_OF: Record<NotificationCause, NotificationKind> = {
  mention: 'mention',
  room_mention: 'mention',
  reply: 'reply',
  thread: 'reply',
  direct: 'direct',
  message: 'message',
};

function titleOf(kind: NotificationKind, actorName: string, roomName: string | null): string {
  const title = roomName === null ? actorName : kind === 'message' ? roomName : `${actorName} in ${roomName}`;
  return firstOf(title, CONTRACT_LIMITS.notificationTitleLength);
}

function firstOf(text: string, codePoints: number): string {
  return text.length <= codePoints ? text : [...text].slice(0, codePoints).join('');
}
