import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import type {
  DeleteMessage,
  EditMessage,
  PinMessage,
  ReactToMessage,
  SendMessage,
  SentMessage,
} from '../contract/chat.js';
import type { DeleteAnyMessage } from '../contract/admin.js';
import type { Message } from '../contract/views.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { assertAdministrator } from '../platform/identity/administrator.js';
import { currentRequestId } from '../platform/identity/request-context.js';
import type { Membership } from '../rooms/rooms.policy.js';
import type { Written } from './batch-outcome.js';
import type { MessageChange, SendChange } from './message-change.js';
import { MessageWriter } from './message-writer.js';
import { assertLength, assertSays, messageNotFound } from './messages.policy.js';
import { MessagesRepository } from './messages.repository.js';

/** Writes and changes messages. Who may is decided in the writer, under the room's lock. */
@Injectable()
export class MessagesService {
  private readonly contentLength: number;
  /** The last look-up under way of each message that is being changed. */
  private readonly lookups = new Map<string, Promise<void>>();

  constructor(
    @Inject(CONFIG) { limits }: Config,
    private readonly writer: MessageWriter,
    private readonly messages: MessagesRepository,
  ) {
    this.contentLength = limits.contentLength;
  }

  /** Enters the queue before it returns: pipelined sends keep their order. */
  async send(actor: Actor, request: SendMessage): Promise<SentMessage> {
    const input = inputOf(request);
    if (input.type === 'text' && input.data !== undefined)
      throw AppError.invalid('data', 'only comes with an x-... type');
    assertLength(input.content, this.contentLength);
    assertSays(input.content, input.data !== undefined);
    const written = await this.writer.submit({
      kind: 'send',
      actor,
      roomId: input.roomId,
      messageId: uuid(),
      input,
      inDoubt: false,
      requestHash: input.clientMessageId === undefined ? null : hashOf(input),
    });
    if (written.kind !== 'sent') throw new Error('A send was answered as a change');
    return written.result;
  }

  /** REST: the `Idempotency-Key` header is the `clientMessageId`. */
  async sendWithKey(actor: Actor, request: SendMessage, key: string | undefined): Promise<SentMessage> {
    if (key === undefined) return this.send(actor, request);
    if (!/^[\x21-\x7e]{1,64}$/.test(key))
      throw AppError.invalid('Idempotency-Key', 'must be 1 to 64 printable characters');
    if (request.clientMessageId !== undefined && request.clientMessageId !== key)
      throw AppError.invalid('clientMessageId', 'must be the Idempotency-Key when both are given');
    return this.send(actor, { ...request, clientMessageId: key });
  }

  async edit(actor: Actor, { messageId, content }: EditMessage): Promise<{ message: Message }> {
    const trimmed = content.trim();
    assertLength(trimmed, this.contentLength);
    return this.change(messageId, (roomId) => ({ kind: 'edit', actor, roomId, messageId, content: trimmed }));
  }

  /** Somebody else's by those who may in the room; that leaves an audit entry. */
  async delete(actor: Actor, { messageId, reason }: DeleteMessage): Promise<{ message: Message }> {
    const requestId = currentRequestId();
    return this.change(messageId, (roomId) => ({
      kind: 'delete',
      actor,
      roomId,
      messageId,
      reason: reason ?? null,
      requestId,
    }));
  }

  /** Anybody's message in any room, by an administrator of the installation; leaves an audit entry with the reason. */
  async deleteAny(actor: Actor, { messageId, reason }: DeleteAnyMessage): Promise<void> {
    assertAdministrator(actor);
    const requestId = currentRequestId();
    await this.change(messageId, (roomId) => ({
      kind: 'delete',
      actor,
      roomId,
      messageId,
      reason,
      requestId,
      asAdministrator: true,
    }));
  }

  async react(actor: Actor, { messageId, emoji, on }: ReactToMessage): Promise<{ message: Message }> {
    return this.change(messageId, (roomId) => ({ kind: 'react', actor, roomId, messageId, emoji, on }));
  }

  async pin(actor: Actor, { messageId, on }: PinMessage): Promise<{ message: Message }> {
    return this.change(messageId, (roomId) => ({ kind: 'pin', actor, roomId, messageId, on }));
  }

  /** The last message of each room, as one of its members sees it. */
  newest(memberships: Membership[]): Promise<Map<string, Message>> {
    return this.messages.newest(memberships);
  }

  /** The lane is known by the room, and the room by a look-up: changes of one message take turns until they are queued. */
  private async change(
    messageId: string,
    inRoom: (roomId: string) => MessageChange,
  ): Promise<{ message: Message }> {
    const before = this.lookups.get(messageId);
    const queued = this.queue(messageId, inRoom, before);
    const turn = queued.then(
      () => undefined,
      () => undefined,
    );
    this.lookups.set(messageId, turn);
    void turn.then(() => {
      if (this.lookups.get(messageId) === turn) this.lookups.delete(messageId);
    });
    const written = await (await queued).written;
    if (written.kind !== 'changed') throw new Error('A change was answered as a send');
    return { message: written.message };
  }

  private async queue(
    messageId: string,
    inRoom: (roomId: string) => MessageChange,
    before: Promise<void> | undefined,
  ): Promise<{ written: Promise<Written> }> {
    await before;
    const roomId = await this.messages.roomOf(messageId);
    if (roomId === undefined) throw messageNotFound();
    // In an object: whoever waits for the turn does not wait for the commit.
    return { written: this.writer.submit(inRoom(roomId)) };
  }
}

/** Field by field: an object that was spread has a hidden class of its own, and every look at it is slow from there on. */
function inputOf(request: SendMessage): SendChange['input'] {
  const { roomId, content, type = 'text', data, replyTo, threadId, mentions, clientMessageId } = request;
  return { roomId, content: content.trim(), type, data, replyTo, threadId, mentions, clientMessageId };
}

/** Of everything that makes the request, in a fixed order; the keys of `data` are sorted, its meaning is the same in any order. */
function hashOf(input: SendChange['input']): string {
  const { roomId, type, content, data, replyTo, threadId, mentions } = input;
  const request = JSON.stringify([roomId, type, content, sorted(data), replyTo, threadId, mentions ?? []]);
  return hash('sha256', request, 'base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
