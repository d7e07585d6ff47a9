import { Injectable } from '@nestjs/common';
import { Metrics } from '../platform/metrics/metrics.js';
import { Deliverables } from './deliverables.js';
import { PushSender, type PushOutcome } from './push-sender.js';
import { PushSubscriptionsRepository, type PushTarget } from './push-subscriptions.repository.js';

/** One notification in one browser: that one of several fails does not repeat the others. */
export interface PushJob {
  notificationId: string;
  userId: string;
  subscriptionId: string;
  /** How often the push service has named a time to wait for. */
  postponed?: number;
}

/** One push, looked at again at the moment it is sent: what was read, muted or taken back meanwhile is not told. */
@Injectable()
export class PushDelivery {
  constructor(
    private readonly subscriptions: PushSubscriptionsRepository,
    private readonly deliverables: Deliverables,
    private readonly sender: PushSender,
    private readonly metrics: Metrics,
  ) {}

  async deliver(
    { notificationId, userId, subscriptionId }: PushJob,
    signal: AbortSignal,
  ): Promise<'done' | { laterSeconds: number }> {
    const target = await this.subscriptions.target(subscriptionId, userId);
    const payload = target && (await this.deliverables.push(notificationId, userId));
    if (!target || !payload) {
      this.metrics.pushed('skipped');
      return 'done';
    }
    try {
      return await this.settle(target, await this.sender.send(target, payload, signal));
    } catch (error) {
      this.metrics.pushed('failed');
      await this.subscriptions.markFailing(target.id);
      throw error;
    }
  }

  private async settle(target: PushTarget, outcome: PushOutcome): Promise<'done' | { laterSeconds: number }> {
    if (outcome === 'sent') {
      this.metrics.pushed('sent');
      await this.subscriptions.markWorking(target.id);
    } else if (outcome === 'gone') {
      this.metrics.pushed('gone');
      await this.subscriptions.dropGone(target);
    } else {
      this.metrics.pushed('failed');
      return outcome;
    }
    return 'done';
  }
}
