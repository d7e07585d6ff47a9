/** The wire contract as the server runs it: every command, event, view, error code and limit. */
export * from '../../src/contract/admin.js';
export * from '../../src/contract/chat.js';
export * from '../../src/contract/errors.js';
export * from '../../src/contract/limits.js';
export * from '../../src/contract/moderation.js';
export * from '../../src/contract/namespaces.js';
export * from '../../src/contract/notifications.js';
export * from '../../src/contract/presence.js';
export * from '../../src/contract/rest.js';
export * from '../../src/contract/session.js';
export * from '../../src/contract/socket.js';
export * from '../../src/contract/version.js';
export * from '../../src/contract/views.js';
