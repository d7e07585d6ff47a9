import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { placesIn } from './batch-people.repository.js';
import { pairKey, type LedgerState, type MemberState, type RoomState } from './batch-state.js';
import type { MessageChange } from './message-change.js';

interface KnownRoom {
  state: RoomState;
  /** In a row, that it was not as it was known. */
  surprises: number;
  /** Batches that are to be decided on what is read before it is relied on again. */
  distrust: number;
}

/** What a batch is decided on without asking: it is only written if the database says the same. */
export interface Assumed {
  rooms: RoomState[];
  members: MemberState[];
  filterVersion: number;
}

const MOST_ROOMS = 10_000;
const MOST_MEMBERS = 50_000;
/** A room that others write to as well is rarely as it was left here: the more often it surprises, the longer it is read. */
const DISTRUST = 8;
const MOST_SURPRISES = 8;

/**
 * Rooms and their writers as the last batch of this node left them. Nothing is taken for true because it is in here, so
 * nobody has to be told when it is not any more. Only what most batches are about: open rooms without slow mode, members
 * without a restriction.
 */
@Injectable()
export class KnownRooms {
  private readonly rooms = new LRUCache<string, KnownRoom>({ max: MOST_ROOMS });
  private readonly members = new LRUCache<string, MemberState>({ max: MOST_MEMBERS });

  /** Undefined when something has to be read to decide these. */
  recall(changes: readonly MessageChange[]): Omit<Assumed, 'filterVersion'> | undefined {
    const rooms = new Map<string, RoomState>();
    for (const change of changes) {
      if (!isPlainSend(change)) return undefined;
      if (rooms.has(change.roomId)) continue;
      const known = this.rooms.get(change.roomId);
      if (!known || known.distrust > 0) return undefined;
      rooms.set(change.roomId, known.state);
    }
    const members: MemberState[] = [];
    for (const [roomId, userId] of placesIn(changes)) {
      const member = this.members.get(pairKey(roomId, userId));
      if (!member) return undefined;
      members.push(member);
    }
    return { rooms: [...rooms.values()], members };
  }

  /** As a batch that is committed has left them. */
  learn({ rooms, members, suspended }: Pick<LedgerState, 'rooms' | 'members' | 'suspended'>): void {
    for (const [id, state] of rooms) {
      const { surprises = 0, distrust = 0 } = this.rooms.get(id) ?? {};
      if (takesPlainSends(state))
        this.rooms.set(id, { state, surprises, distrust: Math.max(0, distrust - 1) });
      else this.rooms.delete(id);
    }
    for (const [key, member] of members)
      if (member.restriction || suspended.has(member.userId)) this.members.delete(key);
      else this.members.set(key, member);
  }

  /** They were as they were known, and are like this now. */
  confirm(rooms: Iterable<RoomState>): void {
    for (const state of rooms) this.rooms.set(state.id, { state, surprises: 0, distrust: 0 });
  }

  /** Something about these rooms, or about those who write there, was not as assumed. */
  surprised(roomIds: ReadonlySet<string>, { members }: Assumed): void {
    for (const { roomId, userId } of members)
      if (roomIds.has(roomId)) this.members.delete(pairKey(roomId, userId));
    for (const id of roomIds) {
      const known = this.rooms.get(id);
      if (!known) continue;
      known.distrust = DISTRUST << known.surprises;
      known.surprises = Math.min(known.surprises + 1, MOST_SURPRISES);
    }
  }

  /** Nobody knows how a batch in these rooms has ended. */
  forget(roomIds: Iterable<string>): void {
    for (const id of roomIds) this.rooms.delete(id);
  }
}

/** Whatever refers to another message needs that message. */
function isPlainSend(change: MessageChange): boolean {
  return (
    change.kind === 'send' &&
    !change.inDoubt &&
    change.input.replyTo === undefined &&
    change.input.threadId === undefined
  );
}

function takesPlainSends({ archived, frozen, slowModeSeconds }: RoomState): boolean {
  return !archived && !frozen && slowModeSeconds === 0;
}
