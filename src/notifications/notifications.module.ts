import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { AnnouncementStateEntity } from './announcement-state.entity.js';
import { AnnouncementEntity } from './announcement.entity.js';
import { AnnouncementsRepository } from './announcements.repository.js';
import { AnnouncementsService } from './announcements.service.js';
import { CustomNotificationEntity } from './custom-notification.entity.js';
import { CustomNotificationsRepository } from './custom-notifications.repository.js';
import { CustomNotifications } from './custom-notifications.service.js';
import { DecisionAnswers } from './decision-answers.service.js';
import { DecisionFactsRepository } from './decision-facts.repository.js';
import { DecisionsRepository } from './decisions.repository.js';
import { DeletedMessages } from './deleted-messages.service.js';
import { NotificationDelivery } from './notification-delivery.service.js';
import { InboxWriter } from './inbox-writer.js';
import { InboxService } from './inbox.service.js';
import { InboxesRepository } from './inboxes.repository.js';
import { Invitations } from './invitations.service.js';
import { LeftRoomsRepository } from './left-rooms.repository.js';
import { LeftRooms } from './left-rooms.service.js';
import { MessageSurroundings } from './message-surroundings.js';
import { NotificationDecisionEntity } from './notification-decision.entity.js';
import { NotificationDecisions } from './notification-decisions.service.js';
import { NotificationInboxEntity } from './notification-inbox.entity.js';
import { NotificationPreferencesController } from './notification-preferences.controller.js';
import { NotificationEntity } from './notification.entity.js';
import { NotificationsSession } from './notifications-session.js';
import { NotificationsBroadcaster } from './notifications.broadcaster.js';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsGateway } from './notifications.gateway.js';
import { NotificationsRepository } from './notifications.repository.js';
import { OpenInboxes } from './open-inboxes.js';
import { PreferencesService } from './preferences.service.js';
import { RoomReadingRepository } from './room-reading.repository.js';
import { RetentionRepository } from './retention.repository.js';
import { NotificationRetention } from './retention.service.js';
import { RoomReading } from './room-reading.service.js';

/** Who is told of what, and the inbox it stands in. */
@Module({
  imports: [
    TypeOrmModule.forFeature([
      NotificationInboxEntity,
      NotificationEntity,
      NotificationDecisionEntity,
      AnnouncementEntity,
      AnnouncementStateEntity,
      CustomNotificationEntity,
    ]),
    AuditModule,
    RoomsModule,
    UsersModule,
  ],
  controllers: [NotificationsController, NotificationPreferencesController],
  providers: [
    NotificationsGateway,
    NotificationsSession,
    NotificationDecisions,
    MessageSurroundings,
    DeletedMessages,
    LeftRooms,
    Invitations,
    InboxWriter,
    InboxService,
    PreferencesService,
    DecisionAnswers,
    AnnouncementsService,
    CustomNotifications,
    NotificationDelivery,
    NotificationRetention,
    RetentionRepository,
    LeftRoomsRepository,
    RoomReading,
    OpenInboxes,
    NotificationsBroadcaster,
    InboxesRepository,
    NotificationsRepository,
    DecisionsRepository,
    DecisionFactsRepository,
    AnnouncementsRepository,
    CustomNotificationsRepository,
    RoomReadingRepository,
  ],
  exports: [AnnouncementsService, NotificationDelivery],
})
export class NotificationsModule {}
