import type { SendMessage } from '../contract/chat.js';
import type { Actor } from '../platform/identity/actor.js';

interface Change {
  actor: Actor;
  roomId: string;
}

export interface SendChange extends Change {
  kind: 'send';
  /** Given before the message is queued: every attempt to write it writes the same message. */
  messageId: string;
  input: SendMessage & { type: string };
  /** An attempt to write it was not answered: it may be there. */
  inDoubt: boolean;
  /** Of the request without its client id: the same id with another hash is another request. */
  requestHash: string | null;
}

export interface EditChange extends Change {
  kind: 'edit';
  messageId: string;
  content: string;
}

export interface DeleteChange extends Change {
  kind: 'delete';
  messageId: string;
  reason: string | null;
  /** Of the request that asks: the batch, and the audit entry with it, is written outside of it. */
  requestId: string | undefined;
  /** By an administrator of the installation, in any room, in it or not; only administration says so. */
  asAdministrator?: true;
}

export interface ReactChange extends Change {
  kind: 'react';
  messageId: string;
  emoji: string;
  on: boolean;
}

export interface PinChange extends Change {
  kind: 'pin';
  messageId: string;
  on: boolean;
}

/** Everything that takes a `rev`: it goes through the writer's lane of its room. */
export type MessageChange = SendChange | EditChange | DeleteChange | ReactChange | PinChange;
