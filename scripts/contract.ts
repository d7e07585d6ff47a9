import { CHAT_COMMANDS } from '../src/contract/commands.js';
import { CLOSINGS, CONNECT_ERRORS, ERRORS } from '../src/contract/errors.js';
import { CHAT_EVENTS } from '../src/contract/events.js';
import { CONTRACT_LIMITS } from '../src/contract/limits.js';
import { PROTOCOL_VERSION } from '../src/contract/version.js';

/** What of the wire contract exists at run time: what the snapshot keeps and the contract test compares. */
export const contract = {
  PROTOCOL_VERSION,
  commands: CHAT_COMMANDS,
  events: CHAT_EVENTS,
  ERRORS,
  CONNECT_ERRORS,
  CLOSINGS,
  CONTRACT_LIMITS,
};
