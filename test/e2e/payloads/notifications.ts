import { NOTIFICATION_KINDS } from '../../../src/contract/notifications.js';
import {
  boolean,
  distinct,
  isoTime,
  listOf,
  matching,
  needed,
  nothing,
  objectOf,
  oneOf,
  opaque,
  optional,
  orNull,
  roomId,
  uuid,
  type Accepts,
} from '../../harness/hostile.js';
import type { World } from '../hostile-world.js';
import type { PayloadsOf } from './payloads.js';

export function notificationPayloads({ alice, hall }: World): PayloadsOf<'/notifications'> {
  const someId = (index: number) => `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;
  const ids = distinct(listOf(100, uuid, { min: 1, item: someId }));
  const kind = oneOf(...NOTIFICATION_KINDS);
  return {
    'notification:list': {
      cursor: optional(undefined, opaque),
      filter: optional('unread', oneOf('all', 'unread', 'archived')),
    },
    'notification:seen': {},
    'notification:read': {
      ids: optional([someId(1)], ids),
      all: optional(undefined, (value) => value === true),
    },
    'notification:archive': { ids: needed([someId(1)], ids) },
    'preference:get': {},
    'preference:set': {
      roomId: optional(hall, roomId),
      level: optional('all', oneOf('all', 'mentions', 'none')),
      mutedUntil: optional(new Date(Date.now() + 3_600_000).toISOString(), orNull(isoTime(3650))),
      kind: optional(undefined, kind),
      channels: optional(undefined, channels),
      quietHours: optional(undefined, orNull(quietHours(kind))),
    },
    'auth:refresh': { token: needed(alice.session.accessToken, nothing) },
  };
}

const channels = objectOf({
  inApp: optional(true, boolean),
  push: optional(false, boolean),
  email: optional(false, boolean),
});

export const quietHours = (kind: Accepts) => {
  const time = matching(/^([01]\d|2[0-3]):[0-5]\d$/);
  return objectOf({
    from: needed('22:00', time),
    to: needed('07:30', time),
    timeZone: needed('Europe/Berlin', knownZone),
    critical: optional(['mention'], distinct(listOf(NOTIFICATION_KINDS.length, kind))),
  });
};

const knownZone: Accepts = (value) =>
  typeof value === 'string' && Intl.supportedValuesOf('timeZone').includes(value);
