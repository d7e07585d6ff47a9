import { Type } from 'class-transformer';
import {
  IsNumber,
  IsObject,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import type { Page, PushKey, PushSubscription, SubscribePush } from '../../contract/rest.js';
import { IsMessageId } from '../../platform/validation/rules.js';

/** Padding is allowed: some browsers write it. */
const IsBase64Url = (most: number) =>
  Matches(new RegExp(`^[A-Za-z0-9_-]{1,${String(most)}}={0,2}$`), { message: 'must be base64url' });

class PushKeysDto {
  /** The browser's public key, 65 bytes. */
  @IsBase64Url(88)
  p256dh!: string;

  /** 16 bytes. */
  @IsBase64Url(24)
  auth!: string;
}

export class SubscribePushDto implements SubscribePush {
  @IsString()
  @MaxLength(2048)
  endpoint!: string;

  @IsObject()
  @ValidateNested()
  @Type(() => PushKeysDto)
  keys!: PushKeysDto;

  /** As browsers send it; not used. */
  @ValidateIf((_, value) => value !== undefined && value !== null)
  @IsNumber()
  expirationTime?: number | null;
}

export class SubscriptionIdDto {
  @IsMessageId()
  subscriptionId!: string;
}

export class PushSubscriptionDto implements PushSubscription {
  id!: string;
  /** Host of the push service. */
  service!: string;
  userAgent?: string;
  createdAt!: string;
  /** Since when the push service refuses what is sent. */
  failedAt?: string;
}

export class PushSubscriptionPageDto implements Page<PushSubscription> {
  data!: PushSubscriptionDto[];
  hasMore!: boolean;
}

export class PushKeyDto implements PushKey {
  /** 65 bytes as base64url. */
  publicKey!: string;
}
