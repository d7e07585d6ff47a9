import type { Scenario } from '../scenario.js';
import { broadcast } from './broadcast.js';
import { event } from './event.js';
import { growth } from './growth.js';
import { hotRoom } from './hot-room.js';
import { idle } from './idle.js';
import { latency } from './latency.js';
import { manyRooms } from './many-rooms.js';
import { reads } from './reads.js';

/** In the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  hotRoom,
  manyRooms,
  broadcast,
  latency,
  event,
  idle,
  growth,
  reads,
];
