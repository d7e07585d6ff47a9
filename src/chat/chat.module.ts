import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { ChatSession } from './chat-session.js';
import { ChatController } from './chat.controller.js';
import { ChatGateway } from './chat.gateway.js';
import { OpenRoom } from './open-room.js';
import { RoomList } from './room-list.js';
import { Signals } from './signals.js';
import { Typing } from './typing.js';

@Module({
  imports: [RoomsModule, MessagesModule],
  controllers: [ChatController],
  providers: [ChatGateway, ChatSession, OpenRoom, RoomList, Typing, Signals],
})
export class ChatModule {}
