import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Page, PushKey, PushSubscription } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import {
  PushKeyDto,
  PushSubscriptionDto,
  PushSubscriptionPageDto,
  SubscribePushDto,
  SubscriptionIdDto,
} from './dto/push-subscriptions.dto.js';
import { PushSubscriptionsService } from './push-subscriptions.service.js';

/** The own browsers that are told by web push. */
@ApiTags('notifications')
@ApiBearerAuth()
@Controller('push-subscriptions')
export class PushSubscriptionsController {
  constructor(private readonly subscriptions: PushSubscriptionsService) {}

  /** The `applicationServerKey` browsers subscribe with. */
  @Get('key')
  @ApiOkResponse({ type: PushKeyDto })
  key(@CurrentActor() actor: Actor): Promise<PushKey> {
    return this.subscriptions.key(actor);
  }

  /** At most 20, newest first. */
  @Get()
  @ApiOkResponse({ type: PushSubscriptionPageDto })
  list(@CurrentActor() actor: Actor): Promise<Page<PushSubscription>> {
    return this.subscriptions.list(actor);
  }

  /** Of 21 the oldest goes. An endpoint that is there already is replaced. */
  @Post()
  @ApiCreatedResponse({ type: PushSubscriptionDto })
  subscribe(
    @CurrentActor() actor: Actor,
    @Body() input: SubscribePushDto,
    @Headers('user-agent') userAgent?: string,
  ): Promise<PushSubscription> {
    return this.subscriptions.subscribe(actor, input, userAgent);
  }

  /** NOT_FOUND for what does not exist and for what is somebody else's. */
  @Delete(':subscriptionId')
  @HttpCode(204)
  @ApiNoContentResponse()
  unsubscribe(@CurrentActor() actor: Actor, @Param() { subscriptionId }: SubscriptionIdDto): Promise<void> {
    return this.subscriptions.unsubscribe(actor, subscriptionId);
  }
}
