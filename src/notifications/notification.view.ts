import type { Announcement, Notification, NotificationKind } from '../contract/notifications.js';
import type { AnnouncementEntity } from './announcement.entity.js';
import { announcementExcerpt } from './notification.text.js';

/** A notification as `NOTIFICATION_ROWS` selects it: of `notifications`, or an announcement as one inbox shows it. */
export interface NotificationRow {
  id: string;
  userId: string;
  kind: NotificationKind;
  title: string;
  body: string;
  roomId: string | null;
  messageId: string | null;
  /** Of the message. */
  seq: number | null;
  threadId: string | null;
  actorId: string | null;
  actorName: string | null;
  actorAvatarUrl: string | null;
  url: string | null;
  count: number;
  silent: boolean;
  createdAt: Date;
  updatedAt: Date;
  readAt: Date | null;
  archivedAt: Date | null;
}

/** Who made an announcement, as they are called and look by now. */
export interface Sender {
  fromName: string;
  fromAvatarUrl: string | null;
}

export function notificationView(row: NotificationRow): Notification {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    body: row.kind === 'announcement' ? announcementExcerpt(row.body) : row.body,
    ...(row.roomId !== null && { roomId: row.roomId }),
    ...(row.messageId !== null && { messageId: row.messageId }),
    ...(row.threadId !== null && { threadId: row.threadId }),
    ...(row.actorId !== null && {
      actor: {
        id: row.actorId,
        name: row.actorName ?? '',
        ...(row.actorAvatarUrl !== null && { avatarUrl: row.actorAvatarUrl }),
      },
    }),
    ...(row.url !== null && { url: row.url }),
    count: row.count,
    ...(row.silent && { silent: true }),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    ...(row.readAt && { readAt: row.readAt.toISOString() }),
    ...(row.archivedAt && { archivedAt: row.archivedAt.toISOString() }),
  };
}

export function announcementView(row: AnnouncementEntity & Sender): Announcement {
  return {
    id: row.id,
    title: row.title,
    body: row.body,
    from: {
      id: row.fromId,
      name: row.fromName,
      ...(row.fromAvatarUrl !== null && { avatarUrl: row.fromAvatarUrl }),
    },
    createdAt: row.createdAt.toISOString(),
  };
}
