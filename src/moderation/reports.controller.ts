import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Report } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { Throttled } from '../platform/throttling/throttle.interceptor.js';
import { ClosingDto, IdDto, ListReportsDto, ReportMessageDto } from './dto/moderation.dto.js';
import { ReportsService } from './reports.service.js';

/** Messages that moderators should look at. */
@ApiTags('moderation')
@ApiBearerAuth()
@Controller('moderation/reports')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  /** Reports a message that one can see; repeating it answers with the open report. */
  @Post()
  @Throttled('reports')
  create(@CurrentActor() actor: Actor, @Body() report: ReportMessageDto): Promise<Report> {
    return this.reports.create(actor, report);
  }

  /** A page of 50, newest first: of a room for its owners and admins, of all for administrators. */
  @Get()
  list(@CurrentActor() actor: Actor, @Query() query: ListReportsDto): Promise<Page<Report>> {
    return this.reports.list(actor, query);
  }

  /** Ends a report, with or without consequences. */
  @Post(':id/close')
  @HttpCode(200)
  close(@CurrentActor() actor: Actor, @Param() { id }: IdDto, @Body() closing: ClosingDto): Promise<Report> {
    return this.reports.close(actor, { ...closing, id });
  }
}
