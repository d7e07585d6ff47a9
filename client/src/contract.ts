/** The wire contract as the server runs it: every command, event, view, error code and limit. */
export * from '../../src/contract/commands.js';
export * from '../../src/contract/errors.js';
export * from '../../src/contract/events.js';
export * from '../../src/contract/limits.js';
export * from '../../src/contract/rest.js';
export * from '../../src/contract/socket.js';
export * from '../../src/contract/version.js';
export * from '../../src/contract/views.js';
