import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { FiltersController } from './filters.controller.js';
import { ModerationBroadcaster } from './moderation.broadcaster.js';
import { ReportEntity } from './report.entity.js';
import { ReportsController } from './reports.controller.js';
import { ReportsRepository } from './reports.repository.js';
import { ReportsService } from './reports.service.js';
import { RestrictionsController } from './restrictions.controller.js';
import { RoomRestrictionsController } from './room-restrictions.controller.js';

/** The people's interface to moderation. What it decides is enforced where rooms and messages are written. */
@Module({
  imports: [TypeOrmModule.forFeature([ReportEntity]), AuditModule, RoomsModule, MessagesModule],
  controllers: [RoomRestrictionsController, RestrictionsController, FiltersController, ReportsController],
  providers: [ReportsService, ReportsRepository, ModerationBroadcaster],
})
export class ModerationModule {}
