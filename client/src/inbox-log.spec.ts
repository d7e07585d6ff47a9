/** The inbox's arithmetic: pages and events give what the server would list, in whatever way they overlap. */
import type { Notification } from '../../src/contract/notifications.js';
import { InboxLog, type InboxEvent } from './inbox-log.js';

const at = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
const made = (index: number, more: Partial<Notification> = {}): Notification => ({
  id: `n${String(index).padStart(4, '0')}`,
  kind: 'mention',
  title: 't',
  body: '',
  count: 1,
  createdAt: at(index),
  updatedAt: at(index),
  ...more,
});

/** The server's side of it: what it stores, what it lists, what it tells. */
class ServerInbox {
  private rows: Notification[] = [];
  readonly told: InboxEvent[] = [];

  do(event: InboxEvent): void {
    this.told.push(event);
    switch (event.event) {
      case 'notification:new':
        this.rows.push(event.payload);
        break;
      case 'notification:updated':
        this.rows = this.rows.map((row) => (row.id === event.payload.id ? event.payload : row));
        break;
      case 'notification:read': {
        const { payload } = event;
        this.rows = this.rows.map((row) =>
          row.readAt === undefined &&
          ('all' in payload ? row.createdAt <= payload.readAt : payload.ids.includes(row.id))
            ? { ...row, readAt: payload.readAt }
            : row,
        );
        break;
      }
      case 'notification:archived':
      case 'notification:removed': {
        const { ids } = event.payload;
        this.rows = this.rows.filter(({ id }) => !ids.includes(id));
        break;
      }
      case 'announcement':
    }
  }
  get(id: string): Notification | undefined {
    return this.rows.find((row) => row.id === id);
  }
  ids(): string[] {
    return this.rows.map(({ id }) => id);
  }
  list(limit: number, cursor?: string): { notifications: Notification[]; cursor?: string } {
    const all = this.rows
      .toSorted((one, other) => (`${one.createdAt}${one.id}` < `${other.createdAt}${other.id}` ? 1 : -1))
      .filter(({ createdAt, id }) => cursor === undefined || `${createdAt}${id}` < cursor);
    const notifications = all.slice(0, limit);
    const last = notifications.at(-1);
    return all.length > limit && last !== undefined
      ? { notifications, cursor: `${last.createdAt}${last.id}` }
      : { notifications };
  }
}

describe('InboxLog', () => {
  it('shows pages, newest first, and one that tells again in its place', () => {
    const log = new InboxLog();
    log.start({ notifications: [made(5), made(3)], cursor: 'c' });
    log.apply({ event: 'notification:new', payload: made(6) });
    log.apply({ event: 'notification:updated', payload: made(3, { count: 2, updatedAt: at(9) }) });
    log.apply({ event: 'notification:new', payload: made(4) });
    expect(log.notifications.map(({ id, count }) => [id, count])).toEqual([
      ['n0006', 1],
      ['n0005', 1],
      ['n0004', 1],
      ['n0003', 2],
    ]);
  });

  it('leaves what is older than the pages it has to the pages that follow', () => {
    const log = new InboxLog();
    log.start({ notifications: [made(5)], cursor: 'c' });
    log.apply({ event: 'notification:updated', payload: made(2, { count: 3 }) });
    expect(log.notifications).toEqual([made(5)]);
    log.extend({ notifications: [made(2, { count: 3 })] });
    expect(log.cursor).toBeUndefined();
    expect(log.notifications.map(({ id }) => id)).toEqual(['n0005', 'n0002']);
  });

  it('marks all that were there, and keeps when something was read first', () => {
    const log = new InboxLog();
    log.start({ notifications: [made(5), made(4), made(3, { readAt: at(4) })] });
    log.apply({ event: 'notification:read', payload: { all: true, readAt: at(4) } });
    expect(log.notifications.map(({ readAt }) => readAt)).toEqual([undefined, at(4), at(4)]);
    const before = log.notifications;
    log.apply({ event: 'notification:read', payload: { ids: ['n0004', 'unknown'], readAt: at(9) } });
    expect(log.notifications).toBe(before);
  });

  it('shows an announcement as its entry', () => {
    const log = new InboxLog();
    log.start({ notifications: [made(1)] });
    const announcement = {
      id: 'a',
      title: 'T',
      body: '😀'.repeat(600),
      from: { id: 'r', name: 'Root', avatarUrl: 'https://example.com/r.png' },
      createdAt: at(2),
    };
    log.apply({ event: 'announcement', payload: announcement });
    expect(log.notifications[0]).toEqual({
      id: 'a',
      kind: 'announcement',
      title: 'T',
      body: '😀'.repeat(500),
      actor: announcement.from,
      count: 1,
      createdAt: at(2),
      updatedAt: at(2),
    });
  });

  // A page that is on its way may hold any part of what is told meanwhile.
  it('ends as the server lists it, however a page and the events overlap', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 300; round += 1) {
      const server = new ServerInbox();
      let next = 100 * round;
      const anything = (): void => {
        next += 1;
        const ids = server.ids();
        const id = ids[random(ids.length)];
        const known = id === undefined ? undefined : server.get(id);
        const what = known === undefined ? 0 : random(7);
        if (what <= 1 || known === undefined) server.do({ event: 'notification:new', payload: made(next) });
        else if (what === 2)
          server.do({
            event: 'notification:updated',
            payload: { ...known, count: known.count + 1, updatedAt: at(next) },
          });
        else if (what === 3)
          server.do({ event: 'notification:read', payload: { ids: [known.id], readAt: at(next) } });
        else if (what === 4)
          server.do({ event: 'notification:read', payload: { all: true, readAt: at(next) } });
        else if (what === 5)
          server.do({ event: 'notification:archived', payload: { ids: [known.id], archivedAt: at(next) } });
        else server.do({ event: 'notification:removed', payload: { ids: [known.id] } });
      };
      for (let index = 0; index < 12; index += 1) anything();

      const log = new InboxLog();
      let told = server.told.length;
      /** A page is asked for, read by the server at some point, and answered at a later one. */
      const page = (limit: number, cursor?: string) => {
        const recording: InboxEvent[] = [];
        const deliver = (count: number) => {
          for (const event of server.told.slice(told, told + count)) {
            log.apply(event);
            recording.push(event);
          }
          told = Math.min(server.told.length, told + count);
        };
        for (let index = random(4); index > 0; index -= 1) anything();
        deliver(random(3));
        const listed = server.list(limit, cursor);
        deliver(random(3));
        for (let index = random(4); index > 0; index -= 1) anything();
        deliver(random(3));
        if (cursor === undefined) log.start(listed);
        else log.extend(listed);
        for (const event of recording) log.apply(event);
      };
      page(4);
      const { cursor } = log;
      if (cursor !== undefined) page(4, cursor);
      for (const event of server.told.slice(told)) log.apply(event);
      const fresh = server.list(10_000).notifications;
      expect(log.notifications).toEqual(
        log.cursor === undefined ? fresh : fresh.slice(0, log.notifications.length),
      );
    }
  });
});
