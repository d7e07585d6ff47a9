import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { FilterRule } from '../contract/moderation.js';
import type { Page } from '../contract/rest.js';
import { FilterRules } from '../messages/filter-rules.service.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { FilterRuleDto, IdDto, IdPageDto } from './dto/moderation.dto.js';

/** Words and links that messages may not carry; for administrators. */
@ApiTags('moderation')
@ApiBearerAuth()
@Controller('moderation/filters')
export class FiltersController {
  constructor(private readonly rules: FilterRules) {}

  /** A page of 100 rules, oldest first. */
  @Get()
  list(@CurrentActor() actor: Actor, @Query() page: IdPageDto): Promise<Page<FilterRule>> {
    return this.rules.list(actor, page);
  }

  /** In force for every message after the answer; what was written before stays. */
  @Post()
  create(@CurrentActor() actor: Actor, @Body() rule: FilterRuleDto): Promise<FilterRule> {
    return this.rules.create(actor, rule);
  }

  /** Takes a rule back. */
  @Delete(':id')
  @HttpCode(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param() { id }: IdDto,
    @Query() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.rules.delete(actor, { id, reason });
  }
}
