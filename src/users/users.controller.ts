import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Page } from '../contract/rest.js';
import type { User } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { SearchUsersDto } from './dto/search-users.dto.js';
import { UpdateMeDto } from './dto/update-me.dto.js';
import { UserDto, UserPageDto } from './dto/user.dto.js';
import type { UserSummary } from './user.view.js';
import { UsersService } from './users.service.js';

/** People over REST. */
@ApiTags('users')
@ApiBearerAuth()
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** The signed-in user. */
  @Get('me')
  @ApiOkResponse({ type: UserDto })
  me(@CurrentActor() actor: Actor): User {
    return this.users.me(actor);
  }

  /** Changes name or picture of the signed-in user. */
  @Patch('me')
  @ApiOkResponse({ type: UserDto })
  updateMe(@CurrentActor() actor: Actor, @Body() input: UpdateMeDto): Promise<User> {
    return this.users.updateMe(actor, input);
  }

  /** Finds people by the start of their username or name. */
  @Get()
  @ApiOkResponse({ type: UserPageDto })
  search(@CurrentActor() actor: Actor, @Query() input: SearchUsersDto): Promise<Page<UserSummary>> {
    return this.users.search(actor, input);
  }
}
