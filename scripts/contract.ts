import { CLOSINGS, CONNECT_ERRORS, ERRORS } from '../src/contract/errors.js';
import { CONTRACT_LIMITS } from '../src/contract/limits.js';
import { NAMESPACES } from '../src/contract/namespaces.js';
import { PROTOCOL_VERSION } from '../src/contract/version.js';

/** What of the wire contract exists at run time: what the snapshot keeps and the contract test compares. */
export const contract = {
  PROTOCOL_VERSION,
  NAMESPACES,
  ERRORS,
  CONNECT_ERRORS,
  CLOSINGS,
  CONTRACT_LIMITS,
};
