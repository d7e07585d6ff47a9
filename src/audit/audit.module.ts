import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEntryEntity } from './audit-entry.entity.js';
import { AuditExport } from './audit-export.service.js';
import { AuditLog } from './audit-log.service.js';
import { AuditBroadcaster } from './audit.broadcaster.js';
import { AuditController } from './audit.controller.js';
import { AuditRepository } from './audit.repository.js';

/** Who did what, when and why. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEntryEntity])],
  controllers: [AuditController],
  providers: [AuditLog, AuditExport, AuditRepository, AuditBroadcaster],
  exports: [AuditLog],
})
export class AuditModule {}
