import type {
  AdminStats,
  AuditEntry,
  ConnectionInfo,
  ListConnections,
  SendAnnouncement,
} from '../../src/contract/admin.js';
import type { Report } from '../../src/contract/moderation.js';
import type { Announcement } from '../../src/contract/notifications.js';
import type { UserRole } from '../../src/contract/views.js';
import type { CommandName, CommandOptions, PayloadOf, ResultOf } from './command-queue.js';
import type { NamespaceLink, PartState } from './namespace-link.js';
import { TypedEmitter, type Unsubscribe } from './typed-emitter.js';

/** What `client.admin` tells. */
export interface AdminPartEvents {
  /** On joining, then every 2 s. */
  stats: AdminStats;
  /** An act of an administrator or moderator was recorded. */
  audit: AuditEntry;
  /** Somebody, or a filter rule, reported a message. */
  report: Report;
  /** `refused`: one is no administrator, or not any more; the rest of the client lives on. */
  state: PartState;
}

/**
 * `client.admin`: for administrators only; everybody else's commands are rejected with FORBIDDEN. Each act needs a
 * reason, which stands in the audit log. Acts are not repeated by themselves: DISCONNECTED means that it may have been
 * done, and doing it again does no harm, but for an announcement.
 */
export class AdminPart {
  private readonly events = new TypedEmitter<AdminPartEvents>();
  private latestStats?: AdminStats;

  /** Made by the client. */
  constructor(private readonly link: NamespaceLink<'/admin'>) {
    link.connection.signals.on('otherUser', () => {
      this.latestStats = undefined;
    });
    link.on('admin:stats', (stats) => {
      this.latestStats = stats;
      this.events.emit('stats', stats);
    });
    link.on('audit:appended', (entry) => {
      this.events.emit('audit', entry);
    });
    link.on('report:created', (report) => {
      this.events.emit('report', report);
    });
    link.onState((state) => {
      this.events.emit('state', state);
    });
  }

  get state(): PartState {
    return this.link.state;
  }
  /** The newest statistics; absent until the first came. */
  get stats(): AdminStats | undefined {
    return this.latestStats;
  }

  on<K extends keyof AdminPartEvents>(
    event: K,
    listener: (payload: AdminPartEvents[K]) => void,
  ): Unsubscribe {
    this.link.use();
    return this.events.on(event, listener);
  }

  /** Any command of `/admin`. */
  send<C extends CommandName<'/admin'>>(
    command: C,
    payload: PayloadOf<'/admin', C>,
    options?: CommandOptions,
  ): Promise<ResultOf<'/admin', C>> {
    return this.link.send(command, payload, options);
  }

  /** Says something to everybody: a banner for those who are connected, and an entry in each inbox. */
  async announce(announcement: SendAnnouncement): Promise<Announcement> {
    return (await this.send('announcement:send', announcement)).announcement;
  }
  /** Ends every sign-in of the user and closes their sockets; they may sign in again. */
  async disconnect(userId: string, reason: string): Promise<void> {
    await this.send('user:disconnect', { userId, reason });
  }
  /** No sign-in, no request, no socket until `resume`. CONFLICT: oneself, or the last administrator. */
  async suspend(userId: string, reason: string): Promise<void> {
    await this.send('user:suspend', { userId, reason });
  }
  async resume(userId: string, reason: string): Promise<void> {
    await this.send('user:resume', { userId, reason });
  }
  /** CONFLICT: the last administrator. */
  async setRole(userId: string, role: UserRole, reason: string): Promise<void> {
    await this.send('user:role', { userId, role, reason });
  }
  /** Nobody writes in the room until `unfreeze`. */
  async freeze(roomId: string, reason: string): Promise<void> {
    await this.send('room:freeze', { roomId, reason });
  }
  async unfreeze(roomId: string, reason: string): Promise<void> {
    await this.send('room:unfreeze', { roomId, reason });
  }
  /** Of anybody, in any room. */
  async deleteMessage(messageId: string, reason: string): Promise<void> {
    await this.send('message:delete', { messageId, reason });
  }
  /** The open connections of the installation, a page. */
  connections(page: ListConnections = {}): Promise<{ connections: ConnectionInfo[]; cursor?: string }> {
    return this.send('connection:list', page);
  }
}
