import type { AuthSession } from '../../../src/contract/rest.js';
import { UserAdministration } from '../../../src/users/user-administration.service.js';
import type { Actor } from '../../harness/actor.js';
import type { TestServer } from '../../harness/server.js';
import { identity } from '../../harness/writer-fixture.js';

/** The columns of the matrix. */
export const ROLES = [
  'nobody',
  'suspended',
  'stranger',
  'member',
  'room admin',
  'owner',
  'administrator',
] as const;
export type Role = (typeof ROLES)[number];
type SignedIn = Exclude<Role, 'nobody' | 'suspended'>;

/** One use of a command or route: by whom, and what is there for this use alone. */
export interface Cell {
  role: Role;
  /** Undefined where sockets are refused. */
  actor: Actor | undefined;
  /** Whose token a request carries. */
  session: AuthSession | undefined;
  server: TestServer;
  /** A room, public if not said otherwise, with an owner, an admin, and two members. */
  roomId: string;
  ownerId: string;
  /** The second member. */
  userId: string;
  second: Actor;
  administrator: Actor;
  /** In no room. */
  outsiderId: string;
  /** The second member's. */
  messageId: string;
  /** The actor's own message; where they cannot have one, again the second member's. */
  ownMessageId: string;
  emoji: string;
  /** A token of somebody else. */
  otherToken: string;
  /** Somebody made for this use. */
  newUser: () => Promise<AuthSession>;
  /** Reports the message; gives the id of the report. */
  reports: () => Promise<string>;
  /** Puts a notification into an inbox; gives its id. */
  notifies: (userId: string) => Promise<string>;
}

/** One person for each role, and cells for them to act in. */
export class RoleCast {
  private made = 0;

  private constructor(
    private readonly server: TestServer,
    private readonly actors: Record<SignedIn, Actor>,
    private readonly second: Actor,
    private readonly suspended: AuthSession,
    private readonly outsider: AuthSession,
  ) {}

  static async on(server: TestServer): Promise<RoleCast> {
    const [stranger, member, roomAdmin, owner, second] = await server.actors(
      'stranger',
      'member',
      'room-admin',
      'owner',
      'second',
    );
    const administrator = await server.administrator();
    const suspended = await server.register('suspended');
    await server.app
      .get(UserAdministration, { strict: false })
      .suspend(identity(administrator), { userId: suspended.user.id, reason: 'As the test wants it' });
    const actors = { stranger, member, 'room admin': roomAdmin, owner, administrator };
    return new RoleCast(server, actors, second, suspended, await server.register('outsider'));
  }

  actor(role: Role): Actor | undefined {
    return role === 'nobody' || role === 'suspended' ? undefined : this.actors[role];
  }

  session(role: Role): AuthSession | undefined {
    return role === 'suspended' ? this.suspended : this.actor(role)?.session;
  }

  /** A private room is one for which strangers and administrators of the installation may not know. */
  async cell(role: Role, type: 'public' | 'private' = 'public'): Promise<Cell> {
    const { owner, member } = this.actors;
    const roomAdmin = this.actors['room admin'];
    const { room } = await owner.does('room:create', {
      name: 'A cell',
      type,
      memberIds: [roomAdmin.id, member.id, this.second.id],
    });
    await owner.does('room:role', { roomId: room.id, userId: roomAdmin.id, role: 'admin' });
    const { messageId } = await this.second.sends(room.id, "another's");
    const insider = ['member', 'room admin', 'owner'].includes(role) ? this.actor(role) : undefined;
    return {
      role,
      actor: this.actor(role),
      session: this.session(role),
      server: this.server,
      roomId: room.id,
      ownerId: owner.id,
      userId: this.second.id,
      second: this.second,
      administrator: this.actors.administrator,
      outsiderId: this.outsider.user.id,
      messageId,
      ownMessageId: insider ? (await insider.sends(room.id, 'my own')).messageId : messageId,
      emoji: '👍',
      otherToken: this.second.session.accessToken,
      newUser: () => {
        this.made += 1;
        return this.server.register(`new-${String(this.made)}`);
      },
      reports: async () => {
        const report = { messageId, reason: 'agreed' };
        return ((await this.second.rest('POST', '/moderation/reports', report)).body as { id: string }).id;
      },
      notifies: async (userId) => {
        const body = { userIds: [userId], title: 'Shipped' };
        const key = { 'idempotency-key': `${room.id}-${userId}`.slice(0, 64) };
        const answer = await this.actors.administrator.rest('POST', '/notifications', body, key);
        const { notifications } = answer.body as { notifications: { id: string }[] };
        return notifications[0]!.id;
      },
    };
  }
}
