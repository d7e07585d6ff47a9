import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BatchIfUnchanged } from './batch-if-unchanged.repository.js';
import { BatchLocks } from './batch-locks.repository.js';
import { BatchStateReader } from './batch-state.repository.js';
import { CurrentFilter } from './current-filter.js';
import { FilterRuleSetEntity } from './filter-rule-set.entity.js';
import { FilterRuleEntity } from './filter-rule.entity.js';
import { FilterRulesRepository } from './filter-rules.repository.js';
import { FilterRules } from './filter-rules.service.js';
import { MentionEntity } from './mention.entity.js';
import { KnownRooms } from './known-rooms.js';
import { MessageBatches } from './message-batches.js';
import { MessageLog } from './message-log.service.js';
import { MessageWriter } from './message-writer.js';
import { MessageEntity } from './message.entity.js';
import { MessagesBroadcaster } from './messages.broadcaster.js';
import { MessagesController } from './messages.controller.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesService } from './messages.service.js';
import { OptimisticBatches } from './optimistic-batches.js';
import { ReactionEntity } from './reaction.entity.js';
import { ReadCursors } from './read-cursors.js';
import { ReadStatesRepository } from './read-states.repository.js';
import { ReadStates } from './read-states.service.js';
import { ReadPositionWriter } from './read-position-writer.js';
import { RoomFeed } from './room-feed.js';
import { RoomFeedRepository } from './room-feed.repository.js';
import { RoomPagesRepository } from './room-pages.repository.js';
import { RoomMessagesController } from './room-messages.controller.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([
      MessageEntity,
      MentionEntity,
      ReactionEntity,
      FilterRuleEntity,
      FilterRuleSetEntity,
    ]),
    AuditModule,
    RoomsModule,
    UsersModule,
  ],
  controllers: [RoomMessagesController, MessagesController],
  providers: [
    MessagesService,
    MessageLog,
    ReadStates,
    MessageWriter,
    MessageBatches,
    OptimisticBatches,
    KnownRooms,
    BatchIfUnchanged,
    BatchLocks,
    BatchStateReader,
    CurrentFilter,
    FilterRules,
    FilterRulesRepository,
    MessagesRepository,
    RoomPagesRepository,
    ReadStatesRepository,
    ReadPositionWriter,
    ReadCursors,
    RoomFeed,
    RoomFeedRepository,
    MessagesBroadcaster,
  ],
  exports: [MessagesService, MessageLog, FilterRules, ReadStates],
})
export class MessagesModule {}
