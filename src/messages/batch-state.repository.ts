import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { holdModeration, lockRooms, roomStates } from './batch-locks.repository.js';
import { peopleOf, placesIn, readPeople, readRules } from './batch-people.repository.js';
import type { LedgerState } from './batch-state.js';
import {
  firstSendsOf,
  keptOf,
  reactionsOf,
  readFirstSends,
  readKept,
  readReactions,
  readTargets,
  targetsOf,
} from './batch-targets.repository.js';
import type { MessageChange } from './message-change.js';

/**
 * Takes the locks of a batch of changes of any size and reads what it is decided on: one statement for each kind of row,
 * all in one round trip. Fails with 55P03 when somebody else keeps a room locked.
 */
@Injectable()
export class BatchStateReader {
  async read(tx: Transaction, changes: readonly MessageChange[]): Promise<LedgerState> {
    const roomIds = [...new Set(changes.map(({ roomId }) => roomId))];
    const places = placesIn(changes);
    const [rooms, [clock], people, [rules], targets, firstSends, kept, reactions] = await tx.send(
      lockRooms(roomIds),
      holdModeration(roomIds),
      readPeople(places),
      readRules(places),
      readTargets(changes),
      readFirstSends(changes),
      readKept(changes),
      readReactions(changes),
    );
    if (!clock || !rules) throw new Error('The database did not tell the time or the rules');
    // Read here, a batch costs no further statement for it.
    tx.xid = clock.xid;
    return {
      now: clock.now,
      ...peopleOf(places, people, rules),
      rooms: roomStates(rooms, clock),
      targets: targetsOf(targets),
      firstSends: firstSendsOf(firstSends),
      kept: keptOf(kept),
      reactions: reactionsOf(reactions),
    };
  }
}
