/** Shapes that only REST has. The rest of it shows the views and takes the payloads of the commands. */
import type { NotificationKind } from './notifications.js';
import type { User } from './views.js';

/** Answer of `auth/register`, `auth/login` and `auth/refresh`. */
export interface AuthSession {
  user: User;
  /** JWT, 15 minutes by default. */
  accessToken: string;
  /** Rotates with every refresh: keep the newest. */
  refreshToken: string;
  /** When the access token expires. */
  expiresAt: string;
}

/** A page by key. `cursor` is opaque and present when there is more. */
export interface Page<T> {
  data: T[];
  cursor?: string;
  hasMore: boolean;
}

/** A browser that is told by web push. Its endpoint and keys are never shown again. */
export interface PushSubscription {
  id: string;
  /** Host of the push service. */
  service: string;
  /** Of the browser that subscribed. */
  userAgent?: string;
  createdAt: string;
  /** Since when the push service refuses what is sent. */
  failedAt?: string;
}

/** What `PushManager.subscribe()` of a browser gives, as its `toJSON()` writes it. */
export interface SubscribePush {
  /** https, at most 2048 characters. */
  endpoint: string;
  keys: {
    /** 65 bytes as base64url. */
    p256dh: string;
    /** 16 bytes as base64url. */
    auth: string;
  };
  /** Browsers send it, it is not used: subscriptions end when the push service says so. */
  expirationTime?: number | null;
}

/** `applicationServerKey` for `PushManager.subscribe()`. */
export interface PushKey {
  publicKey: string;
}

/** What the data of a push is, as JSON; at most 3,000 bytes, for which `body` is shortened. */
export interface PushPayload {
  /** Of the notification. */
  id: string;
  kind: NotificationKind;
  title: string;
  body: string;
  url?: string;
  roomId?: string;
  messageId?: string;
  /** How many messages the notification tells of. */
  count: number;
  /** Unread notifications, for a badge. Exact to 99, then 100. */
  unread: number;
}

/** Where a user gets the digest of what stays unseen. */
export interface EmailSetting {
  /** False: this server sends no e-mail. */
  available: boolean;
  address?: string;
  /** Only then mails are sent there, beside the one that asks. */
  confirmed: boolean;
}

export interface SetEmail {
  address: string;
}
