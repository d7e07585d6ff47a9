import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { DeadWork, type DeadFactView, type DeadJobView } from './dead-work.service.js';
import { FactRefDto, JobRefDto, ListDeadFactsDto, ListDeadJobsDto } from './dto/admin-queries.dto.js';
import { DeadFactsPageDto, DeadJobsPageDto } from './dto/admin-views.dto.js';

/** Work in the background that was given up, for administrators. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin')
export class DeadWorkController {
  constructor(private readonly deadWork: DeadWork) {}

  /** Jobs that failed for good, newest first; kept for 14 days. */
  @Get('jobs')
  @ApiOkResponse({ type: DeadJobsPageDto })
  listJobs(@CurrentActor() actor: Actor, @Query() input: ListDeadJobsDto): Promise<Page<DeadJobView>> {
    return this.deadWork.listJobs(actor, input);
  }

  /** Gives a dead job all its attempts again. */
  @Post('jobs/:id/retry')
  @HttpCode(204)
  retryJob(
    @CurrentActor() actor: Actor,
    @Param() { id }: JobRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.deadWork.retryJob(actor, { id, reason });
  }

  /** Facts that could not be handed on, oldest first. */
  @Get('outbox')
  @ApiOkResponse({ type: DeadFactsPageDto })
  listFacts(@CurrentActor() actor: Actor, @Query() input: ListDeadFactsDto): Promise<Page<DeadFactView>> {
    return this.deadWork.listFacts(actor, input);
  }

  /** Gives a dead fact all its attempts again. */
  @Post('outbox/:id/retry')
  @HttpCode(204)
  retryFact(
    @CurrentActor() actor: Actor,
    @Param() { id }: FactRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.deadWork.retryFact(actor, { id, reason });
  }
}
