import { UsersAndSessions1764000000000 } from './0001-users-and-sessions.js';
import { RoomsAndMessages1764000000001 } from './0002-rooms-and-messages.js';

/** In the order they run. TypeORM sorts by the number in the class name, so it has to grow. */
export const migrations = [UsersAndSessions1764000000000, RoomsAndMessages1764000000001];
