import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OutboxRowEntity } from './outbox-row.entity.js';
import { OutboxRepository } from './outbox.repository.js';
import { Outbox } from './outbox.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([OutboxRowEntity])],
  providers: [Outbox, OutboxRepository],
  exports: [Outbox],
})
export class OutboxModule {}
