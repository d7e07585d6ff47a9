import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { Notification, NotificationCounts, NotificationDecision } from '../contract/notifications.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { CustomNotifications, type SentCustomNotification } from './custom-notifications.service.js';
import { DecisionAnswers } from './decision-answers.service.js';
import {
  ArchiveNotificationsDto,
  AskDecisionsDto,
  CustomNotificationDto,
  NotificationRefDto,
  NotificationsPageDto,
  ReadNotificationsDto,
} from './dto/notifications.dto.js';
import { InboxService } from './inbox.service.js';

/** One's inbox, why something is or is not in it, and notifications of the application's own. */
@ApiTags('notifications')
@ApiBearerAuth()
@Controller('notifications')
export class NotificationsController {
  constructor(
    private readonly inbox: InboxService,
    private readonly answers: DecisionAnswers,
    private readonly custom: CustomNotifications,
  ) {}

  /** Newest first. */
  @Get()
  list(@CurrentActor() actor: Actor, @Query() query: NotificationsPageDto): Promise<Page<Notification>> {
    return this.inbox.page(actor, query);
  }

  /** Why somebody was, or was not, told of a message: oneself; for administrators anybody, or without `userId` everybody it was decided for. */
  @Get('decisions')
  decisions(
    @CurrentActor() actor: Actor,
    @Query() query: AskDecisionsDto,
  ): Promise<Page<NotificationDecision>> {
    return this.answers.ask(actor, query);
  }

  /** One of them. */
  @Get(':notificationId')
  find(@CurrentActor() actor: Actor, @Param() { notificationId }: NotificationRefDto): Promise<Notification> {
    return this.inbox.find(actor, notificationId);
  }

  /** Nothing is unseen any more. */
  @Post('seen')
  @HttpCode(200)
  seen(@CurrentActor() actor: Actor): Promise<{ counts: NotificationCounts }> {
    return this.inbox.seen(actor);
  }

  /** Marks some, or all. */
  @Post('read')
  @HttpCode(200)
  read(
    @CurrentActor() actor: Actor,
    @Body() which: ReadNotificationsDto,
  ): Promise<{ counts: NotificationCounts }> {
    return this.inbox.read(actor, which);
  }

  /** Puts some away; they count as read. */
  @Post('archive')
  @HttpCode(200)
  archive(
    @CurrentActor() actor: Actor,
    @Body() { ids }: ArchiveNotificationsDto,
  ): Promise<{ counts: NotificationCounts }> {
    return this.inbox.archive(actor, ids);
  }

  /** For administrators. Repeating it with the same key returns the first answer, for ever. */
  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '1 to 64 printable characters' })
  send(
    @CurrentActor() actor: Actor,
    @Body() notification: CustomNotificationDto,
    @Headers('Idempotency-Key') key: string | undefined,
  ): Promise<SentCustomNotification> {
    return this.custom.send(actor, notification, key);
  }
}
