import { Body, Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { EmailSetting } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { EmailSettingDto, SetEmailDto } from './dto/email.dto.js';
import { EmailAddressesService } from './email-addresses.service.js';

/** The own e-mail address. */
@ApiTags('notifications')
@ApiBearerAuth()
@Controller('notification-preferences/email')
export class EmailAddressesController {
  constructor(private readonly addresses: EmailAddressesService) {}

  /** The address the digest of unseen notifications goes to. */
  @Get()
  @ApiOkResponse({ type: EmailSettingDto })
  get(@CurrentActor() actor: Actor): Promise<EmailSetting> {
    return this.addresses.get(actor);
  }

  /** Sends a link that confirms the address. FORBIDDEN on a server that sends no e-mail. */
  @Put()
  @ApiOkResponse({ type: EmailSettingDto })
  set(@CurrentActor() actor: Actor, @Body() input: SetEmailDto): Promise<EmailSetting> {
    return this.addresses.set(actor, input);
  }

  /** No e-mail any more. */
  @Delete()
  @HttpCode(204)
  @ApiNoContentResponse()
  remove(@CurrentActor() actor: Actor): Promise<void> {
    return this.addresses.remove(actor);
  }
}
