import { isQuiet, isTimeZone } from './quiet-hours.js';

const night = { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' };
const at = (time: string) => new Date(time);

describe('quiet hours', () => {
  it.each([
    // Winter: Berlin is one hour ahead of UTC.
    ['2026-01-10T20:59:00Z', false],
    ['2026-01-10T21:00:00Z', true],
    ['2026-01-11T05:59:00Z', true],
    ['2026-01-11T06:00:00Z', false],
    // Summer: two hours.
    ['2026-07-10T19:59:00Z', false],
    ['2026-07-10T20:00:00Z', true],
    ['2026-07-11T05:00:00Z', false],
  ])('go over midnight by the clock on the wall: %s', (time, quiet) => {
    expect(isQuiet(night, 'mention', at(time))).toBe(quiet);
  });

  it('lie within a day, without the minute they end at', () => {
    const lunch = { from: '12:00', to: '13:00', timeZone: 'Asia/Kolkata' };
    expect(isQuiet(lunch, 'direct', at('2026-01-10T06:29:59Z'))).toBe(false);
    expect(isQuiet(lunch, 'direct', at('2026-01-10T06:30:00Z'))).toBe(true);
    expect(isQuiet(lunch, 'direct', at('2026-01-10T07:29:59Z'))).toBe(true);
    expect(isQuiet(lunch, 'direct', at('2026-01-10T07:30:00Z'))).toBe(false);
  });

  it('know midnight as 00:00', () => {
    const early = { from: '00:00', to: '00:30', timeZone: 'UTC' };
    expect(isQuiet(early, 'direct', at('2026-01-10T00:00:00Z'))).toBe(true);
    expect(isQuiet(early, 'direct', at('2026-01-10T00:30:00Z'))).toBe(false);
  });

  it('skip with the hour that summer time skips, and come twice with the one it repeats', () => {
    const two = { from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' };
    // 2026-03-29: 01:59 is followed by 03:00.
    for (const time of ['2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z'])
      expect(isQuiet(two, 'direct', at(time))).toBe(false);
    // 2026-10-25: 02:59 is followed by 02:00.
    for (const time of ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'])
      expect(isQuiet(two, 'direct', at(time))).toBe(true);
    expect(isQuiet(two, 'direct', at('2026-10-25T02:00:00Z'))).toBe(false);
  });

  it('let critical kinds pass, and are not for those who have none', () => {
    const hours = { ...night, critical: ['direct' as const] };
    expect(isQuiet(hours, 'direct', at('2026-01-10T23:00:00Z'))).toBe(false);
    expect(isQuiet(hours, 'mention', at('2026-01-10T23:00:00Z'))).toBe(true);
    expect(isQuiet(null, 'mention', at('2026-01-10T23:00:00Z'))).toBe(false);
  });

  it('are told in a time zone of the world, not in an offset', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('UTC')).toBe(true);
    for (const name of ['', 'Mars/Olympus', '+02:00', '-05:00', 'Europe/Berlin ', '../etc'])
      expect(isTimeZone(name)).toBe(false);
  });
});
