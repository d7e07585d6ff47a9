import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { MembersController } from './members.controller.js';
import { MembersRepository } from './members.repository.js';
import { MembersService } from './members.service.js';
import { RoomAccess } from './room-access.service.js';
import { RoomMemberEntity } from './room-member.entity.js';
import { RoomTurns } from './room-turns.js';
import { RoomViews } from './room-views.service.js';
import { RoomEntity } from './room.entity.js';
import { RoomsBroadcaster } from './rooms.broadcaster.js';
import { RoomsController } from './rooms.controller.js';
import { RoomsRepository } from './rooms.repository.js';
import { RoomsService } from './rooms.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([RoomEntity, RoomMemberEntity]), UsersModule],
  controllers: [RoomsController, MembersController],
  providers: [
    RoomsService,
    MembersService,
    RoomAccess,
    RoomTurns,
    RoomViews,
    RoomsRepository,
    MembersRepository,
    RoomsBroadcaster,
  ],
  exports: [RoomsService, MembersService, RoomAccess, RoomViews],
})
export class RoomsModule {}
