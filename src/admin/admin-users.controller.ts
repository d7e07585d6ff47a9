import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { WithReasonDto } from '../platform/validation/with-reason.dto.js';
import { UserRefDto } from '../users/dto/user-ref.dto.js';
import { UserAdministration } from '../users/user-administration.service.js';
import type { Account } from '../users/user.view.js';
import { UserRoleDto } from './dto/acts.dto.js';
import { ListAccountsDto } from './dto/admin-queries.dto.js';
import { AccountsPageDto } from './dto/admin-views.dto.js';
import { UserDisconnect } from './user-disconnect.service.js';

/** Accounts, for administrators. Each act takes a reason and leaves an entry in the audit log. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/users')
export class AdminUsersController {
  constructor(
    private readonly users: UserAdministration,
    private readonly userDisconnect: UserDisconnect,
  ) {}

  /** Everybody by username, with role and suspension. */
  @Get()
  @ApiOkResponse({ type: AccountsPageDto })
  list(@CurrentActor() actor: Actor, @Query() input: ListAccountsDto): Promise<Page<Account>> {
    return this.users.list(actor, input);
  }

  /** Ends every sign-in of the user and closes their sockets. They may sign in again. */
  @Post(':userId/disconnect')
  @HttpCode(204)
  disconnect(
    @CurrentActor() actor: Actor,
    @Param() { userId }: UserRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.userDisconnect.disconnect(actor, { userId, reason });
  }

  /** No sign-in, no request, no socket, until the account is resumed. */
  @Post(':userId/suspend')
  @HttpCode(204)
  suspend(
    @CurrentActor() actor: Actor,
    @Param() { userId }: UserRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.users.suspend(actor, { userId, reason });
  }

  /** Opens a suspended account again. */
  @Post(':userId/resume')
  @HttpCode(204)
  resume(
    @CurrentActor() actor: Actor,
    @Param() { userId }: UserRefDto,
    @Body() { reason }: WithReasonDto,
  ): Promise<void> {
    return this.users.resume(actor, { userId, reason });
  }

  /** Makes or unmakes an administrator. */
  @Put(':userId/role')
  @HttpCode(204)
  setRole(
    @CurrentActor() actor: Actor,
    @Param() { userId }: UserRefDto,
    @Body() { role, reason }: UserRoleDto,
  ): Promise<void> {
    return this.users.setRole(actor, { userId, role, reason });
  }
}
