import type { RestrictionKind } from '../contract/moderation.js';
import type { MemberRole } from '../contract/views.js';
import type { Statement } from '../platform/database/pipelined-transaction.js';
import { EVERYWHERE } from '../rooms/restriction.entity.js';
import { strongest, type ActiveRestriction } from '../rooms/restrictions.policy.js';
import { pairKey, type LedgerState, type MemberState } from './batch-state.js';
import type { MessageChange } from './message-change.js';

interface PersonRow {
  /** Which of those that were asked for, from 1: shorter than their names. */
  n: number;
  suspended: boolean;
  administrator: boolean;
  /** null: no member. */
  role: MemberRole | null;
  name: string;
  avatar_url: string | null;
  /** In ms since the epoch. */
  last_sent_at: number | null;
  history_from_seq: number;
}

interface RulesRow {
  filter_version: number;
  restrictions: { user_id: string; scope: string; kind: RestrictionKind; until: string | null }[] | null;
}

/** Somebody in a room. */
type Place = readonly [roomId: string, userId: string];

/** Where the actors write and, for sends, where those they mention should be; each once. */
export function placesIn(changes: readonly MessageChange[]): Place[] {
  const places = new Map<string, Place>();
  const want = (roomId: string, userId: string) => places.set(pairKey(roomId, userId), [roomId, userId]);
  for (const change of changes) {
    want(change.roomId, change.actor.userId);
    if (change.kind === 'send') for (const userId of change.input.mentions ?? []) want(change.roomId, userId);
  }
  return [...places.values()];
}

/** Who they are there, and which of them are suspended or administrators. */
export function readPeople(places: readonly Place[]): Statement<PersonRow> {
  return {
    name: 'batch-people',
    text: `SELECT w.n::int, u.suspended_at IS NOT NULL AS suspended, u.role = 'admin' AS administrator, m.role, u.name,
              u.avatar_url, (extract(epoch FROM m.last_sent_at) * 1000)::float8 AS last_sent_at, m.history_from_seq
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(room_id, user_id, n)
         -- LIMIT keeps to the indexes whatever the tables looked like when this was planned.
        CROSS JOIN LATERAL (SELECT * FROM users u WHERE u.id = w.user_id LIMIT 1) u
         LEFT JOIN LATERAL (SELECT * FROM room_members m
                             WHERE m.room_id = w.room_id AND m.user_id = w.user_id LIMIT 1) m ON true`,
    values: [places.map(([roomId]) => roomId), places.map(([, userId]) => userId)],
  };
}

/** What is forbidden to them, here or elsewhere, and the version of the rules for what they write. */
export function readRules(places: readonly Place[]): Statement<RulesRow> {
  return {
    name: 'batch-rules',
    text: `SELECT (SELECT version FROM filter_rule_set) AS filter_version,
              (SELECT json_agg(json_build_object('user_id', r.user_id, 'scope', r.scope, 'kind', r.kind, 'until', r.until))
                 FROM restrictions r
                -- The scopes too: whichever index is taken, it begins with what is asked for.
                WHERE r.user_id = ANY($1::text[]) AND r.scope = ANY($2::text[])
                  AND (r.until IS NULL OR r.until > clock_timestamp())) AS restrictions`,
    values: [
      [...new Set(places.map(([, userId]) => userId))],
      [...new Set([EVERYWHERE, ...places.map(([roomId]) => roomId)])],
    ],
  };
}

export function peopleOf(
  places: readonly Place[],
  people: readonly PersonRow[],
  { filter_version, restrictions }: RulesRow,
): Pick<LedgerState, 'members' | 'suspended' | 'administrators' | 'filterVersion'> {
  const members = new Map<string, MemberState>();
  const suspended = new Set<string>();
  const administrators = new Set<string>();
  for (const row of people) {
    const [roomId, userId] = places[row.n - 1] as Place;
    if (row.suspended) suspended.add(userId);
    if (row.administrator) administrators.add(userId);
    if (row.role === null) continue;
    members.set(pairKey(roomId, userId), {
      roomId,
      userId,
      role: row.role,
      name: row.name,
      avatarUrl: row.avatar_url,
      lastSentAt: row.last_sent_at,
      historyFromSeq: row.history_from_seq,
      restriction: restrictionOf([roomId, userId], restrictions ?? []),
    });
  }
  // Nobody may write: then nothing is to be read by the rules.
  return { members, suspended, administrators, filterVersion: members.size > 0 ? filter_version : undefined };
}

function restrictionOf(
  [roomId, userId]: Place,
  restrictions: NonNullable<RulesRow['restrictions']>,
): ActiveRestriction | null {
  const here = restrictions.filter(
    ({ user_id, scope }) => user_id === userId && (scope === roomId || scope === EVERYWHERE),
  );
  return strongest(
    here.map(({ until, ...rest }) => ({ ...rest, until: until === null ? null : new Date(until) })),
  );
}
