import { Inject, Injectable } from '@nestjs/common';
import webPush from 'web-push';
import type { Config } from '../platform/config/config.js';
import { CONFIG } from '../platform/config/config.module.js';
import { ServerKeysRepository, type KeyPair } from './server-keys.repository.js';

const PURPOSE = 'vapid';

/**
 * The keys by which push services know this installation (RFC 8292). Browsers subscribe with the public one, so a pair
 * that changes makes every subscription useless: it is made once and kept in the database.
 */
@Injectable()
export class VapidKeys {
  private pair: Promise<KeyPair> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly keys: ServerKeysRepository,
  ) {}

  get(): Promise<KeyPair> {
    this.pair ??= this.find().catch((error: unknown) => {
      this.pair = undefined;
      throw error;
    });
    return this.pair;
  }

  private async find(): Promise<KeyPair> {
    const configured = this.config.delivery.push.keys;
    if (configured) return configured;
    const kept = await this.keys.find(PURPOSE);
    if (kept) return kept;
    await this.keys.offer(PURPOSE, webPush.generateVAPIDKeys());
    const pair = await this.keys.find(PURPOSE);
    if (!pair) throw new Error('The VAPID keys were not kept');
    return pair;
  }
}
