/** Writes test/contract/contract.snapshot.json. Run it after a deliberate change of the wire, and say so under "Wire" in the changelog. */
import { writeFileSync } from 'node:fs';
import { CHAT_COMMANDS } from '../src/contract/commands.js';
import { CLOSINGS, CONNECT_ERRORS, ERRORS } from '../src/contract/errors.js';
import { CHAT_EVENTS } from '../src/contract/events.js';
import { CONTRACT_LIMITS } from '../src/contract/limits.js';
import { PROTOCOL_VERSION } from '../src/contract/version.js';

const contract = {
  PROTOCOL_VERSION,
  commands: CHAT_COMMANDS,
  events: CHAT_EVENTS,
  ERRORS,
  CONNECT_ERRORS,
  CLOSINGS,
  CONTRACT_LIMITS,
};
writeFileSync('test/contract/contract.snapshot.json', `${JSON.stringify(contract, null, 2)}\n`);
