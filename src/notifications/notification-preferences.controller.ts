import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { NotificationPreferences } from '../contract/notifications.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { SetPreferenceDto } from './dto/notifications.dto.js';
import { PreferencesService } from './preferences.service.js';

/** What one wants to be told of, and where. */
@ApiTags('notifications')
@ApiBearerAuth()
@Controller('notification-preferences')
export class NotificationPreferencesController {
  constructor(private readonly preferences: PreferencesService) {}

  /** Every kind, and the rooms that differ from the default. */
  @Get()
  get(@CurrentActor() actor: Actor): Promise<{ preferences: NotificationPreferences }> {
    return this.preferences.get(actor);
  }

  /** Sets one of them: of a room, of a kind, or quiet hours. */
  @Put()
  set(
    @CurrentActor() actor: Actor,
    @Body() preference: SetPreferenceDto,
  ): Promise<{ preferences: NotificationPreferences }> {
    return this.preferences.set(actor, preference);
  }
}
