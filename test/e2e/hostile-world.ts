import type { Actor } from '../harness/actor.js';
import type { TestServer } from '../harness/server.js';

/** Who and what valid examples are about: made once, so that no example spoils it for the others. */
export interface World {
  /** Owns the rooms; makes the requests and sends the commands. */
  alice: Actor;
  /** A member of them, who must not notice. */
  bob: Actor;
  /** An administrator, who is in no room. */
  root: Actor;
  hall: string;
  toLeave: string;
  toChange: string;
  toFreeze: string;
  message: string;
  toDelete: string;
  /** In no room. */
  stranger: string;
  toKick: string;
  /** Whom administrators and moderators act on. */
  victim: string;
}

export async function makeWorld(server: TestServer): Promise<World> {
  const [alice, bob, carol] = await server.actors('alice', 'bob', 'carol');
  const root = await server.administrator();
  const [dave, mallory] = [await server.register('dave'), await server.register('mallory')];
  const members = [bob.id, carol.id, mallory.user.id];
  for (const room of ['hall', 'to-leave', 'to-change', 'to-freeze'])
    await alice.does('room:create', { roomId: room, name: room, type: 'public', memberIds: members });
  const { messageId: message } = await alice.sends('hall', 'hello', { type: 'x-note', data: { a: 1 } });
  const { messageId: toDelete } = await alice.sends('hall', 'to delete');
  await alice.does('room:role', { roomId: 'to-leave', userId: bob.id, role: 'owner' });
  return {
    alice,
    bob,
    root,
    hall: 'hall',
    toLeave: 'to-leave',
    toChange: 'to-change',
    toFreeze: 'to-freeze',
    message,
    toDelete,
    stranger: dave.user.id,
    toKick: carol.id,
    victim: mallory.user.id,
  };
}
