import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { UsersModule } from '../users/users.module.js';
import { Admission } from './admission.js';
import { MemberList } from './member-list.service.js';
import { MembersController } from './members.controller.js';
import { MembersRepository } from './members.repository.js';
import { MembersService } from './members.service.js';
import { ModerationLock } from './moderation-lock.service.js';
import { RoomAdministration } from './room-administration.service.js';
import { RestrictionAuthority } from './restriction-authority.js';
import { RestrictionEntity } from './restriction.entity.js';
import { RestrictionsRepository } from './restrictions.repository.js';
import { RestrictionsService } from './restrictions.service.js';
import { NotifySettings } from './notify-settings.service.js';
import { RoomAccess } from './room-access.service.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomSettings } from './room-settings.service.js';
import { RoomTurns } from './room-turns.js';
import { RoomViews } from './room-views.service.js';
import { RoomEntity } from './room.entity.js';
import { RoomsBroadcaster } from './rooms.broadcaster.js';
import { RoomsController } from './rooms.controller.js';
import { RoomsRepository } from './rooms.repository.js';
import { RoomsService } from './rooms.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([RoomEntity, RoomMemberEntity, RestrictionEntity]),
    AuditModule,
    UsersModule,
  ],
  controllers: [RoomsController, MembersController],
  providers: [
    RoomsService,
    RoomSettings,
    MembersService,
    MemberList,
    RoomAccess,
    ModerationLock,
    RoomAdministration,
    RoomTurns,
    Admission,
    NotifySettings,
    RestrictionsService,
    RestrictionAuthority,
    RestrictionsRepository,
    RoomViews,
    RoomsRepository,
    MembersRepository,
    RoomsBroadcaster,
  ],
  exports: [
    RoomsService,
    RoomSettings,
    MemberList,
    ModerationLock,
    RestrictionsService,
    RoomAdministration,
    MembersService,
    RoomAccess,
    RoomViews,
    NotifySettings,
  ],
})
export class RoomsModule {}
