import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms/rooms.module.js';
import { AdminRoomsController } from './admin-rooms.controller.js';

@Module({ imports: [RoomsModule], controllers: [AdminRoomsController] })
export class AdminModule {}
