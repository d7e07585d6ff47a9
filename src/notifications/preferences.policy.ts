import type {
  NotificationChannels,
  NotificationKind,
  QuietHours,
  SetPreference,
} from '../contract/notifications.js';
import { NOTIFICATION_KINDS } from '../contract/notifications.js';
import { AppError } from '../platform/errors/app-error.js';
import type { KindSettings } from './notification-inbox.entity.js';

/** Where each kind is told when a user has set nothing. */
const DEFAULTS: Readonly<Record<NotificationKind, Readonly<NotificationChannels>>> = {
  mention: { inApp: true, push: true, email: true },
  direct: { inApp: true, push: true, email: true },
  reply: { inApp: true, push: true, email: true },
  message: { inApp: true, push: false, email: false },
  invite: { inApp: true, push: true, email: true },
  announcement: { inApp: true, push: true, email: false },
  custom: { inApp: true, push: true, email: true },
};

export function channelsOf(settings: KindSettings | null, kind: NotificationKind): NotificationChannels {
  return { ...DEFAULTS[kind], ...settings?.[kind] };
}

export function allChannels(settings: KindSettings | null): Record<NotificationKind, NotificationChannels> {
  return Object.fromEntries(NOTIFICATION_KINDS.map((kind) => [kind, channelsOf(settings, kind)])) as Record<
    NotificationKind,
    NotificationChannels
  >;
}

/** The settings after a change of one kind; what is not given stays. */
export function withKind(
  settings: KindSettings | null,
  kind: NotificationKind,
  { inApp, push, email }: Partial<NotificationChannels>,
): KindSettings {
  return {
    ...settings,
    [kind]: {
      ...settings?.[kind],
      ...(inApp !== undefined && { inApp }),
      ...(push !== undefined && { push }),
      ...(email !== undefined && { email }),
    },
  };
}

/** One of the three that can be set, and that one whole. */
export function assertOneSetting({
  roomId,
  level,
  mutedUntil,
  kind,
  channels,
  quietHours,
}: SetPreference): void {
  const given = [roomId, kind, quietHours].filter((value) => value !== undefined).length;
  if (given !== 1) throw AppError.invalid('(payload)', 'give one of roomId, kind and quietHours');
  const ofRoom = level !== undefined || mutedUntil !== undefined;
  if (roomId !== undefined && !ofRoom) throw AppError.invalid('level', 'give level or mutedUntil');
  if (roomId === undefined && ofRoom) throw AppError.invalid('roomId', 'is needed with level and mutedUntil');
  if ((kind === undefined) !== (channels === undefined))
    throw AppError.invalid('channels', 'come with kind, and kind with channels');
}

export function assertQuietHours({ from, to }: QuietHours): void {
  if (from === to) throw AppError.invalid('quietHours.to', 'must differ from quietHours.from');
}
