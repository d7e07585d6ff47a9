import type { NotificationCause } from '../contract/notifications.js';
import type { RoomType } from '../contract/views.js';

export const ROOM_MENTION = '@room';

/** What of a message makes it concern somebody. */
export interface CausingMessage {
  id: string;
  roomId: string;
  roomType: RoomType;
  seq: number;
  senderId: string;
  mentions: string[];
  /** Of the message it answers. */
  replyAuthorId: string | null;
  threadId: string | null;
  /** Of the root of its thread. */
  rootAuthorId: string | null;
}

/** The people around a batch of messages, each list read with one statement. */
export interface Surroundings {
  /** By thread: who has replied, with the `seq` of their first reply. */
  repliers: Map<string, Map<string, number>>;
  /** By room: whom every message of it concerns. */
  audience: Map<string, string[]>;
  /** By message: whom `@room` reaches, those first who read there last. */
  reached: Map<string, string[]>;
  /** How many of them are told. */
  roomLimit: number;
}

/** Everybody a message concerns, each with the first cause that applies. The author can be among them. */
export function causesOf(message: CausingMessage, around: Surroundings): Map<string, NotificationCause> {
  const causes = new Map<string, NotificationCause>();
  const add = (cause: NotificationCause, userIds: Iterable<string | null>) => {
    for (const userId of userIds) if (userId !== null && !causes.has(userId)) causes.set(userId, cause);
  };
  add(
    'mention',
    message.mentions.filter((userId) => userId !== ROOM_MENTION),
  );
  if (message.mentions.includes(ROOM_MENTION))
    add('room_mention', [message.senderId, ...reachedBy(message, around)]);
  add('reply', [message.replyAuthorId]);
  if (message.threadId !== null)
    add('thread', [message.rootAuthorId, ...repliedBefore(message, message.threadId, around)]);
  add(message.roomType === 'direct' ? 'direct' : 'message', around.audience.get(message.roomId) ?? []);
  return causes;
}

function reachedBy({ id, senderId }: CausingMessage, around: Surroundings): string[] {
  const others = (around.reached.get(id) ?? []).filter((userId) => userId !== senderId);
  return others.slice(0, around.roomLimit);
}

function repliedBefore({ seq }: CausingMessage, threadId: string, { repliers }: Surroundings): string[] {
  return [...(repliers.get(threadId) ?? [])].flatMap(([userId, first]) => (first < seq ? [userId] : []));
}
