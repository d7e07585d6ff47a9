/** Shapes that only REST has. The rest of it shows the views and takes the payloads of the commands. */
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
