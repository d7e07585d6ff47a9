import type { NotificationKind, QuietHours } from '../contract/notifications.js';

/** Making one costs more than everything else here. Nobody has more time zones than the world. */
const clocks = new Map<string, Intl.DateTimeFormat>();
const MOST_CLOCKS = 1000;

/**
 * Is it quiet for this kind? The clock on the wall of the time zone decides, so an hour that summer time skips is not
 * quiet, and one that comes twice is quiet twice.
 */
export function isQuiet(hours: QuietHours | null, kind: NotificationKind, at: Date): boolean {
  if (!hours || hours.critical?.includes(kind)) return false;
  const { from, to } = hours;
  const now = clockOf(hours.timeZone).format(at);
  return from < to ? from <= now && now < to : from <= now || now < to;
}

export function isTimeZone(name: string): boolean {
  // `Intl` takes offsets such as +02:00 too, which know no summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (!clock) {
    if (clocks.size >= MOST_CLOCKS) clocks.clear();
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    clocks.set(timeZone, clock);
  }
  return clock;
}
