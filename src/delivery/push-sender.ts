import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import webPush from 'web-push';
import type { NotificationKind } from '../contract/notifications.js';
import type { PushPayload } from '../contract/rest.js';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { PermanentFailure } from '../platform/jobs/permanent-failure.js';
import { ForbiddenTarget, Outbound } from '../platform/outbound/outbound.js';
import { pushText } from './push-text.js';
import type { PushTarget } from './push-subscriptions.repository.js';
import { VapidKeys } from './vapid-keys.js';

/** `later`: the push service names the time it wants to be left alone for. */
export type PushOutcome = 'sent' | 'gone' | { laterSeconds: number };

const TTL_SECONDS = 86_400;
const URGENCY: Record<NotificationKind, webPush.Urgency> = {
  mention: 'high',
  direct: 'high',
  reply: 'normal',
  invite: 'normal',
  announcement: 'normal',
  custom: 'normal',
  message: 'low',
};

/** Encrypts for one browser (RFC 8291) and hands it to the browser's push service. */
@Injectable()
export class PushSender implements OnApplicationShutdown {
  private readonly outbound: Outbound;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly keys: VapidKeys,
  ) {
    this.outbound = new Outbound({ allowPrivate: config.delivery.push.privateEndpoints });
  }

  problemOf(endpoint: string): string | undefined {
    return this.outbound.problemOf(endpoint);
  }

  /** Throws what is worth another attempt, or a `PermanentFailure`. */
  async send(target: PushTarget, payload: PushPayload, signal: AbortSignal): Promise<PushOutcome> {
    const { headers, body } = await this.encrypted(target, payload);
    const { status, retryAfterSeconds } = await this.outbound
      .post(target.endpoint, { headers, body, signal })
      .catch((error: unknown) => {
        throw error instanceof ForbiddenTarget ? new PermanentFailure(error.message) : unreachable(error);
      });
    if (status >= 200 && status < 300) return 'sent';
    if (status === 404 || status === 410) return 'gone';
    if (status !== 429 && status < 500)
      throw new PermanentFailure(`The push service refused the message with ${String(status)}`);
    if (retryAfterSeconds !== undefined && retryAfterSeconds > 0) return { laterSeconds: retryAfterSeconds };
    throw new Error(`The push service answered ${String(status)}`);
  }

  onApplicationShutdown(): Promise<void> {
    return this.outbound.close();
  }

  private async encrypted({ endpoint, p256dh, auth }: PushTarget, payload: PushPayload) {
    const details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, pushText(payload), {
      vapidDetails: { subject: this.config.delivery.push.subject, ...(await this.keys.get()) },
      TTL: TTL_SECONDS,
      urgency: URGENCY[payload.kind],
      // What still waits at the push service about the same notification is replaced, not shown twice.
      topic: createHash('sha256').update(payload.id).digest('base64url').slice(0, 32),
    });
    return { headers: details.headers, body: details.body };
  }
}

/** Dead jobs are shown: the endpoint, which the message may quote, is nobody else's business. */
function unreachable(error: unknown): Error {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return new Error(`The push service could not be reached: ${String(code ?? name)}`);
}
