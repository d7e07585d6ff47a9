import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import type { Restriction, RestrictionKind } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { Admission } from './admission.js';
import { MembersRepository } from './members.repository.js';
import { RestrictionAuthority, type Restricted } from './restriction-authority.js';
import { EVERYWHERE, type RestrictionEntity } from './restriction.entity.js';
import { restrictionView } from './restriction.view.js';
import {
  RestrictionsRepository,
  type NewRestriction,
  type RestrictionKey,
} from './restrictions.repository.js';
import { RoomAccess } from './room-access.service.js';
import { MemberRoleChanged } from './rooms.events.js';
import { assertCapability } from './rooms.policy.js';

/** Whom, how and where: in one room, or everywhere. */
export interface LiftRestriction {
  kind: RestrictionKind;
  userId: string;
  roomId?: string;
  reason: string;
}
export interface ImposeRestriction extends LiftRestriction {
  /** ISO 8601; absent: until it is lifted. */
  until?: string | undefined;
}
export interface ListRestrictions {
  roomId?: string;
  userId?: string;
  cursor?: string;
}

const PAGE = 50;

/** Mutes and bans begin and end. Whoever writes reads them in their own transaction; nothing is kept in memory. */
@Injectable()
export class RestrictionsService {
  constructor(
    private readonly authority: RestrictionAuthority,
    private readonly access: RoomAccess,
    private readonly restrictions: RestrictionsRepository,
    private readonly members: MembersRepository,
    private readonly admission: Admission,
    private readonly audit: AuditLog,
  ) {}

  /** In place of an earlier one of the same kind and scope. The same once more changes nothing. */
  async impose(actor: Actor, input: ImposeRestriction): Promise<Restriction> {
    return this.authority.over(actor, input, async (tx, target) => {
      if (input.kind === 'ban' && target.room?.type === 'direct')
        throw new AppError('FORBIDDEN', 'Nobody is banned from a direct room: its people stay the same');
      const key = keyOf(input);
      const before = await this.restrictions.active(tx, key);
      const until = input.until === undefined ? null : new Date(input.until);
      const byAdministrator = actor.role === 'admin';
      if (before && isSame(before, { until, reason: input.reason, byAdministrator }))
        return restrictionView(before);
      assertMayUndo(actor, before);
      const row = await this.restrictions.put(tx, {
        ...key,
        until,
        reason: input.reason,
        createdBy: actor.userId,
        createdByName: actor.name,
        byAdministrator,
      });
      if (!row) throw AppError.invalid('until', 'must lie ahead');
      await this.record(tx, actor, input, `user.${input.kind}`, before, row);
      if (input.kind === 'ban') await this.expel(tx, target);
      return restrictionView(row);
    });
  }

  /** What is not in force is lifted without a trace. */
  async lift(actor: Actor, input: LiftRestriction): Promise<void> {
    await this.authority.over(actor, input, async (tx) => {
      const key = keyOf(input);
      const before = await this.restrictions.active(tx, key);
      assertMayUndo(actor, before);
      await this.restrictions.remove(tx, key);
      if (!before) return;
      await this.record(tx, actor, input, `user.un${input.kind}`, before, null);
    });
  }

  /** What is in force, by room and user: of one room for its owners and admins, of all for administrators. */
  async list(actor: Actor, { roomId, userId, cursor }: ListRestrictions): Promise<Page<Restriction>> {
    if (roomId === undefined) assertAdministrator(actor);
    else if (actor.role !== 'admin')
      assertCapability(await this.access.member(actor, roomId), 'room:moderate');
    const after = cursor === undefined ? undefined : keyOfCursor(cursor);
    const rows = await this.restrictions.page({ scope: roomId, userId }, after, PAGE + 1);
    const shown = rows.slice(0, PAGE);
    const last = shown.at(-1);
    const hasMore = rows.length > PAGE;
    return { data: shown.map(restrictionView), ...(hasMore && last && { cursor: cursorOf(last) }), hasMore };
  }

  /** A room with members keeps an owner: when the last one goes, whoever is next in rank and time takes over. */
  private async expel(tx: Transaction, { room, member }: Restricted): Promise<void> {
    if (!room || !member) return;
    await this.admission.endMembership(tx, room.id, member.user, 'banned');
    if (member.role !== 'owner' || (await this.members.countOwners(tx, room.id)) > 0) return;
    const heir = await this.members.heir(tx, room.id);
    if (heir === undefined) return;
    await this.members.setRole(tx, room.id, heir, 'owner');
    tx.raise(new MemberRoleChanged(room.id, heir, 'owner'));
  }

  private async record(
    tx: Transaction,
    actor: Actor,
    { userId, roomId, reason }: LiftRestriction,
    act: string,
    before: RestrictionEntity | null,
    after: RestrictionEntity | null,
  ): Promise<void> {
    const until = (row: RestrictionEntity) => ({ until: row.until?.toISOString() ?? null });
    await this.audit.append(tx, actor, {
      act,
      target: { type: 'user', id: userId },
      ...(roomId !== undefined && { roomId }),
      reason,
      ...(before && { before: { ...until(before), reason: before.reason } }),
      ...(after && { after: until(after) }),
    });
  }
}

/** Nothing is gained by saying it again; an administrator who does makes it theirs. */
function isSame(
  before: RestrictionEntity,
  wanted: Pick<NewRestriction, 'until' | 'reason' | 'byAdministrator'>,
): boolean {
  return (
    before.reason === wanted.reason &&
    before.until?.getTime() === wanted.until?.getTime() &&
    (before.byAdministrator || !wanted.byAdministrator)
  );
}

/** What an administrator of the installation decided is not for the people of the room to lift, shorten or replace. */
function assertMayUndo(actor: Actor, before: RestrictionEntity | null): void {
  if (before?.byAdministrator && actor.role !== 'admin')
    throw new AppError('FORBIDDEN', 'Only administrators change what an administrator has decided');
}

function keyOf({ userId, roomId = EVERYWHERE, kind }: LiftRestriction): RestrictionKey {
  return { userId, scope: roomId, kind };
}

function cursorOf({ scope, userId, kind }: RestrictionKey): string {
  return Buffer.from(JSON.stringify([scope, userId, kind])).toString('base64url');
}

function keyOfCursor(cursor: string): RestrictionKey {
  const [scope, userId, kind] = partsOf(cursor);
  if (scope === undefined || userId === undefined || (kind !== 'mute' && kind !== 'ban'))
    throw AppError.invalid('cursor', 'is not a cursor of this list');
  return { scope, userId, kind };
}

function partsOf(cursor: string): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const texts = Array.isArray(parts) && parts.length === 3 ? parts : [];
    return texts.filter((part): part is string => typeof part === 'string' && isStorable(part));
  } catch {
    return [];
  }
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0');
