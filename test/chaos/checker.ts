import type { Entry, FinalRoom, Invoke } from './history.js';

export interface Violation {
  invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';
  text: string;
}

type Ok = Extract<Entry, { kind: 'ok' }>;
type Deliver = Extract<Entry, { kind: 'deliver' }>;

/** All attempts to send one message. */
interface Request {
  invoke: Invoke;
  oks: Ok[];
  /** No attempt is in doubt and the last one was refused. */
  refused: boolean;
}

const requestKey = (senderId: string, clientMessageId: string) => `${senderId} ${clientMessageId}`;
const roomKey = (process: string, roomId: string) => `${process} in ${roomId}`;

/** Judges a history against what the rooms hold in the end. Empty: the invariants of `design/quality.md` held. */
export function check(entries: readonly Entry[], rooms: readonly FinalRoom[]): Violation[] {
  const requests = requestsOf(entries);
  return [
    ...acknowledgedIsThere(requests, rooms),
    ...nothingTwice(requests, rooms),
    ...oneOrder(entries, rooms),
    ...noGaps(entries, rooms),
    ...honest(requests, rooms),
    ...realTime(entries),
    ...pipelined(entries),
    ...resumed(entries, rooms),
  ];
}

function requestsOf(entries: readonly Entry[]): Map<string, Request> {
  const requests = new Map<string, Request>();
  const byOp = new Map<number, { request: Request; open: Set<number> }>();
  const opens = new Map<Request, Set<number>>();
  const refusedOps = new Map<Request, number>();
  for (const entry of entries) {
    if (entry.kind === 'invoke') {
      const key = requestKey(entry.senderId, entry.clientMessageId);
      const request = requests.get(key) ?? { invoke: entry, oks: [], refused: false };
      requests.set(key, request);
      const open = opens.get(request) ?? new Set();
      opens.set(request, open.add(entry.op));
      byOp.set(entry.op, { request, open });
    } else if (entry.kind === 'ok') {
      byOp.get(entry.op)?.request.oks.push(entry);
    } else if (entry.kind === 'fail') {
      const found = byOp.get(entry.op);
      found?.open.delete(entry.op);
      if (found) refusedOps.set(found.request, entry.op);
    }
  }
  // An attempt that is neither refused nor acknowledged stays open for ever.
  for (const [request, open] of opens) request.refused = open.size === 0 && refusedOps.has(request);
  return requests;
}

/** I1: what was acknowledged is in the final read, at its `seq`, with its id and content. */
function* acknowledgedIsThere(
  requests: Map<string, Request>,
  rooms: readonly FinalRoom[],
): Iterable<Violation> {
  const bySeq = new Map(
    rooms.map(({ roomId, messages }) => [roomId, new Map(messages.map((message) => [message.seq, message]))]),
  );
  for (const [key, { invoke, oks }] of requests) {
    const [ok] = oks;
    if (!ok) continue;
    const there = bySeq.get(invoke.roomId)?.get(ok.seq);
    if (there?.id !== ok.messageId || there.content !== invoke.content)
      yield {
        invariant: 'I1',
        text: `${key} was acknowledged as ${invoke.roomId} ${ok.seq}; there is ${describe(there)}`,
      };
  }
}

/** I2: one message per (sender, clientMessageId), and one answer however often it is asked. */
function* nothingTwice(requests: Map<string, Request>, rooms: readonly FinalRoom[]): Iterable<Violation> {
  const places = new Map<string, string>();
  for (const { roomId, messages } of rooms)
    for (const { seq, sender, clientMessageId } of messages) {
      if (clientMessageId === undefined) continue;
      const key = requestKey(sender.id, clientMessageId);
      const before = places.get(key);
      if (before !== undefined)
        yield { invariant: 'I2', text: `${key} is there twice: ${before} and ${roomId} ${seq}` };
      places.set(key, `${roomId} ${seq}`);
    }
  for (const [key, { oks }] of requests) {
    const answers = new Set(oks.map(({ messageId, seq, rev }) => `${messageId} ${seq} ${rev}`));
    if (answers.size > 1)
      yield { invariant: 'I2', text: `${key} was answered differently: ${[...answers].join(', ')}` };
    const firsts = oks.filter(({ deduplicated }) => !deduplicated).length;
    if (firsts > 1) yield { invariant: 'I2', text: `${key} was written ${firsts} times by its answers` };
  }
}

/** I2 and I3: an application is given each `seq` once, in strictly rising `rev`, and all are given the same. */
function* oneOrder(entries: readonly Entry[], rooms: readonly FinalRoom[]): Iterable<Violation> {
  const truth = new Map<string, string>();
  for (const { roomId, messages } of rooms)
    for (const message of messages) truth.set(`${roomId} rev ${message.rev}`, describe(message));
  const seen = new Map<string, { rev: number; seqs: Set<number> }>();
  for (const entry of entries) {
    if (entry.kind === 'reset') seen.delete(roomKey(entry.process, entry.roomId));
    if (entry.kind !== 'deliver') continue;
    const who = roomKey(entry.process, entry.roomId);
    const state = seen.get(who) ?? { rev: 0, seqs: new Set<number>() };
    seen.set(who, state);
    if (entry.rev <= state.rev)
      yield { invariant: 'I3', text: `${who} was given rev ${entry.rev} after ${state.rev}` };
    if (state.seqs.has(entry.seq)) yield { invariant: 'I2', text: `${who} was given seq ${entry.seq} twice` };
    state.rev = Math.max(state.rev, entry.rev);
    state.seqs.add(entry.seq);
    const key = `${entry.roomId} rev ${entry.rev}`;
    const others = truth.get(key);
    if (others === undefined) truth.set(key, describe(entry));
    else if (others !== describe(entry))
      yield {
        invariant: 'I3',
        text: `${who} was given ${describe(entry)} as rev ${entry.rev}, others ${others}`,
      };
  }
}

/** I4: the `seq` of a room are 1 to its last; live events of one connection have no hole in their `rev`. */
function* noGaps(entries: readonly Entry[], rooms: readonly FinalRoom[]): Iterable<Violation> {
  for (const { roomId, lastSeq, rev, messages } of rooms) {
    const seqs = messages.map(({ seq }) => seq).sort((a, b) => a - b);
    if (seqs.length !== lastSeq || seqs.some((seq, index) => seq !== index + 1))
      yield { invariant: 'I4', text: `${roomId} ends at seq ${lastSeq} and holds ${ranges(seqs)}` };
    const revs = new Set(messages.map((message) => message.rev));
    if (revs.size !== messages.length || Math.max(0, ...revs) !== rev)
      yield {
        invariant: 'I4',
        text: `${roomId} ends at rev ${rev}; its ${messages.length} messages have ${ranges([...revs].sort((a, b) => a - b))}`,
      };
  }
  const last = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind !== 'live') continue;
    const who = `${roomKey(entry.process, entry.roomId)}, connection ${entry.epoch}`;
    const before = last.get(who);
    if (before !== undefined && entry.rev !== before + 1)
      yield { invariant: 'I4', text: `${who} received rev ${entry.rev} live after ${before}` };
    last.set(who, entry.rev);
  }
}

/** I5: what was refused for good is nowhere, and nothing is there that nobody sent. */
function* honest(requests: Map<string, Request>, rooms: readonly FinalRoom[]): Iterable<Violation> {
  for (const { roomId, messages } of rooms)
    for (const message of messages) {
      const request = requests.get(requestKey(message.sender.id, message.clientMessageId ?? ''));
      if (request?.invoke.roomId !== roomId || request.invoke.content !== message.content)
        yield { invariant: 'I5', text: `${roomId} holds ${describe(message)}, which nobody sent` };
      else if (request.refused)
        yield { invariant: 'I5', text: `${roomId} holds ${describe(message)}, which was refused` };
    }
}

/** I6: what is sent after another message was acknowledged comes after it. */
function* realTime(entries: readonly Entry[]): Iterable<Violation> {
  const acknowledged = new Map<string, number>();
  const invoked = new Map<number, Invoke & { after: number }>();
  const firstAfter = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === 'invoke') {
      const key = requestKey(entry.senderId, entry.clientMessageId);
      const after = firstAfter.get(key) ?? acknowledged.get(entry.roomId) ?? 0;
      firstAfter.set(key, after);
      invoked.set(entry.op, { ...entry, after });
    } else if (entry.kind === 'ok') {
      const invoke = invoked.get(entry.op);
      if (!invoke) continue;
      if (entry.seq <= invoke.after)
        yield {
          invariant: 'I6',
          text: `${invoke.roomId} ${entry.seq} was sent after ${invoke.after} was acknowledged`,
        };
      acknowledged.set(invoke.roomId, Math.max(entry.seq, acknowledged.get(invoke.roomId) ?? 0));
    }
  }
}

/** I7: what one connection sent to a room and had accepted stands there in the order of sending. */
function* pipelined(entries: readonly Entry[]): Iterable<Violation> {
  const accepted = new Map(
    entries.flatMap((entry) => (entry.kind === 'ok' ? [[entry.op, entry] as const] : [])),
  );
  const last = new Map<string, number>();
  for (const entry of entries) {
    const ok = entry.kind === 'invoke' ? accepted.get(entry.op) : undefined;
    if (entry.kind !== 'invoke' || !ok) continue;
    const who = `${roomKey(entry.process, entry.roomId)}, connection ${entry.epoch}`;
    const before = last.get(who) ?? 0;
    if (ok.seq <= before) yield { invariant: 'I7', text: `${who} sent seq ${ok.seq} after ${before}` };
    last.set(who, ok.seq);
  }
}

/** I8: whoever holds that it has everything up to a `rev` was given everything up to there, since its last reset. */
function* resumed(entries: readonly Entry[], rooms: readonly FinalRoom[]): Iterable<Violation> {
  const given = new Map<string, Map<number, Deliver>>();
  const current = new Map<string, Extract<Entry, { kind: 'current' }>>();
  for (const entry of entries) {
    if (entry.kind === 'reset') given.delete(roomKey(entry.process, entry.roomId));
    if (entry.kind === 'current') current.set(roomKey(entry.process, entry.roomId), entry);
    if (entry.kind !== 'deliver') continue;
    const who = roomKey(entry.process, entry.roomId);
    const messages = given.get(who) ?? new Map<number, Deliver>();
    given.set(who, messages.set(entry.seq, entry));
  }
  const finals = new Map(rooms.map((room) => [room.roomId, room]));
  for (const [who, { roomId, rev }] of current) {
    const missing = (finals.get(roomId)?.messages ?? []).filter(
      (message) => message.rev <= rev && given.get(who)?.get(message.seq)?.id !== message.id,
    );
    if (missing.length > 0)
      yield {
        invariant: 'I8',
        text: `${who} is current to rev ${rev} and was never given seq ${ranges(missing.map(({ seq }) => seq))}`,
      };
  }
}

function describe(message: { id: string; seq: number; content: string } | undefined): string {
  return message ? `${message.id} seq ${message.seq} "${message.content}"` : 'nothing';
}

/** `1-5, 7`. */
function ranges(numbers: number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ') || 'nothing';
}
