import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Page } from '../contract/rest.js';
import type { Member } from '../contract/views.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { Throttled } from '../platform/throttling/throttle.interceptor.js';
import { AddMemberDto, MemberRefDto, MemberRoleDto, MembersPageDto, RoomRefDto } from './dto/rooms.dto.js';
import { MemberList } from './member-list.service.js';
import { MembersService } from './members.service.js';

@ApiTags('rooms')
@ApiBearerAuth()
@Controller('rooms/:roomId/members')
export class MembersController {
  constructor(
    private readonly members: MembersService,
    private readonly memberList: MemberList,
  ) {}

  /** A page of 100 members, by user id. */
  @Get()
  page(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Query() { cursor }: MembersPageDto,
  ): Promise<Page<Member>> {
    return this.memberList.page(actor, { roomId, cursor });
  }

  /** One's own id joins an open room; anybody else's is an invitation. */
  @Post()
  @Throttled('rooms')
  @HttpCode(204)
  add(
    @CurrentActor() actor: Actor,
    @Param() { roomId }: RoomRefDto,
    @Body() body: AddMemberDto,
  ): Promise<void> {
    return this.members.add(actor, { ...body, roomId });
  }

  /** Gives a member another role; only owners may. */
  @Patch(':userId')
  @HttpCode(204)
  setRole(
    @CurrentActor() actor: Actor,
    @Param() member: MemberRefDto,
    @Body() { role }: MemberRoleDto,
  ): Promise<void> {
    return this.members.setRole(actor, { ...member, role });
  }

  /** One's own id leaves; anybody else's is a kick. */
  @Delete(':userId')
  @HttpCode(204)
  remove(@CurrentActor() actor: Actor, @Param() member: MemberRefDto): Promise<void> {
    return this.members.remove(actor, member);
  }
}
