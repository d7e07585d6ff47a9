import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { AdminStats, ConnectionInfo } from '../contract/admin.js';
import type { Announcement } from '../contract/notifications.js';
import type { Page } from '../contract/rest.js';
import { MessageRefDto } from '../messages/dto/messages.dto.js';
import { MessagesService } from '../messages/messages.service.js';
import { AnnouncementsService } from '../notifications/announcements.service.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { AdminStatistics } from './admin-statistics.service.js';
import { ConnectionList } from './connection-list.service.js';
import { SendAnnouncementDto } from './dto/acts.dto.js';
import { ListConnectionsDto } from './dto/admin-queries.dto.js';
import { AdminStatsDto, ConnectionsPageDto } from './dto/admin-views.dto.js';

/** The installation as a whole, for administrators. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin')
export class AdminController {
  constructor(
    private readonly statistics: AdminStatistics,
    private readonly connections: ConnectionList,
    private readonly messages: MessagesService,
    private readonly announcements: AnnouncementsService,
  ) {}

  /** Rates are of the time since the statistics before, about 2 s while an administrator watches. */
  @Get('stats')
  @ApiOkResponse({ type: AdminStatsDto })
  stats(@CurrentActor() actor: Actor): Promise<AdminStats> {
    return this.statistics.read(actor);
  }

  /** What is connected to this instance. */
  @Get('connections')
  @ApiOkResponse({ type: ConnectionsPageDto })
  listConnections(@CurrentActor() actor: Actor, @Query() input: ListConnectionsDto): Page<ConnectionInfo> {
    return this.connections.page(actor, input);
  }

  /** To everybody: stands in their inboxes, and goes to those who are connected at once. */
  @Post('announcements')
  announce(
    @CurrentActor() actor: Actor,
    @Body() input: SendAnnouncementDto,
  ): Promise<{ announcement: Announcement }> {
    return this.announcements.send(actor, input);
  }

  /** Anybody's message, in any room. Leaves the usual tombstone. */
  @Delete('messages/:messageId')
  @HttpCode(204)
  deleteMessage(
    @CurrentActor() actor: Actor,
    @Param() { messageId }: MessageRefDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.messages.deleteAny(actor, { messageId, reason });
  }
}
