import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { AdminRoomsController } from './admin-rooms.controller.js';
import { AdminSession } from './admin-session.js';
import { AdminStatistics } from './admin-statistics.service.js';
import { AdminStatsBroadcaster } from './admin-stats.broadcaster.js';
import { AdminUsersController } from './admin-users.controller.js';
import { AdminController } from './admin.controller.js';
import { AdminGateway } from './admin.gateway.js';
import { Backlog } from './backlog.js';
import { ConnectionList } from './connection-list.service.js';
import { DeadWorkController } from './dead-work.controller.js';
import { DeadWork } from './dead-work.service.js';
import { UserDisconnect } from './user-disconnect.service.js';

/** The installation as its administrators see and steer it. */
@Module({
  imports: [AuditModule, AuthModule, UsersModule, RoomsModule, MessagesModule, NotificationsModule],
  controllers: [AdminController, AdminUsersController, AdminRoomsController, DeadWorkController],
  providers: [
    AdminGateway,
    AdminSession,
    AdminStatistics,
    AdminStatsBroadcaster,
    Backlog,
    ConnectionList,
    DeadWork,
    UserDisconnect,
  ],
})
export class AdminModule {}
