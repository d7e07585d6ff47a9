import { ECDH } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import type { Page, PushKey, PushSubscription, SubscribePush } from '../contract/rest.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppError } from '../platform/errors/app-error.js';
import type { Actor } from '../platform/identity/actor.js';
import { AccountsService } from '../users/accounts.service.js';
import { PushSender } from './push-sender.js';
import { pushSubscriptionView } from './push-subscription.view.js';
import { PushSubscriptionsRepository } from './push-subscriptions.repository.js';
import { VapidKeys } from './vapid-keys.js';

/** Browsers and phones of a user; the one that subscribed longest ago goes. */
const MOST_SUBSCRIPTIONS = 20;
const MOST_ENDPOINT = 2048;
const MOST_USER_AGENT = 200;

/** The browsers a user wants to be told in. Everybody sees and changes their own only. */
@Injectable()
export class PushSubscriptionsService {
  constructor(
    private readonly subscriptions: PushSubscriptionsRepository,
    private readonly accounts: AccountsService,
    private readonly sender: PushSender,
    private readonly keys: VapidKeys,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async key(_actor: Actor): Promise<PushKey> {
    return { publicKey: (await this.keys.get()).publicKey };
  }

  async list(actor: Actor): Promise<Page<PushSubscription>> {
    const rows = await this.subscriptions.list(actor.userId);
    return { data: rows.map(pushSubscriptionView), hasMore: false };
  }

  async subscribe(
    actor: Actor,
    { endpoint, keys: { p256dh, auth } }: SubscribePush,
    userAgent: string | undefined,
  ): Promise<PushSubscription> {
    const address = this.addressOf(endpoint);
    if (!isCurvePoint(p256dh)) throw AppError.invalid('keys.p256dh', 'must be the public key of a browser');
    if (Buffer.from(auth, 'base64url').length !== 16)
      throw AppError.invalid('keys.auth', 'must be 16 bytes as base64url');
    const { userId } = actor;
    return this.unitOfWork.run(async (tx) => {
      // One at a time for each user: two at once would both find room for one more.
      await this.accounts.lock(tx, userId);
      const saved = await this.subscriptions.save(tx, {
        id: uuidv7(),
        userId,
        endpoint: address,
        p256dh,
        auth,
        userAgent: printable(userAgent),
      });
      await this.subscriptions.keepNewest(tx, userId, MOST_SUBSCRIPTIONS);
      return pushSubscriptionView(saved);
    });
  }

  async unsubscribe({ userId }: Actor, id: string): Promise<void> {
    const removed = await this.unitOfWork.run((tx) => this.subscriptions.remove(tx, userId, id));
    if (!removed) throw new AppError('NOT_FOUND', 'Subscription not found');
  }

  private addressOf(endpoint: string): string {
    const problem = this.sender.problemOf(endpoint);
    if (problem !== undefined) throw AppError.invalid('endpoint', problem);
    // As it is dialled: other spellings of it are the same browser.
    const { href } = new URL(endpoint);
    if (href.length > MOST_ENDPOINT)
      throw AppError.invalid('endpoint', `must be at most ${String(MOST_ENDPOINT)} characters`);
    return href;
  }
}

/** Anything else would fail at every push. */
function isCurvePoint(key: string): boolean {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length !== 65) return false;
  try {
    ECDH.convertKey(bytes, 'prime256v1');
    return true;
  } catch {
    return false;
  }
}

function printable(userAgent: string | undefined): string | null {
  const text = userAgent?.replace(/[^\x20-\x7e]/g, '').slice(0, MOST_USER_AGENT);
  return text === undefined || text === '' ? null : text;
}
