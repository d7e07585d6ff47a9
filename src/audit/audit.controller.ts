import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { AuditEntry } from '../contract/admin.js';
import type { Page } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor } from '../platform/identity/current-actor.decorator.js';
import { AuditExport } from './audit-export.service.js';
import { AuditLog } from './audit-log.service.js';
import { AuditPageDto } from './dto/audit-entry.dto.js';
import { ExportAuditEntriesDto, ListAuditEntriesDto } from './dto/audit-queries.dto.js';

/** The audit log, for administrators. */
@ApiTags('audit-log')
@ApiBearerAuth()
@Controller('audit-log')
export class AuditController {
  constructor(
    private readonly log: AuditLog,
    private readonly exports: AuditExport,
  ) {}

  /** Who did what, newest first. */
  @Get()
  @ApiOkResponse({ type: AuditPageDto })
  list(@CurrentActor() actor: Actor, @Query() input: ListAuditEntriesDto): Promise<Page<AuditEntry>> {
    return this.log.list(actor, input);
  }

  /** Everything, oldest first: one entry as JSON on each line. The export is itself an entry: its last, unless `until` is earlier. */
  @Get('export')
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({ schema: { type: 'string' } })
  async export(@CurrentActor() actor: Actor, @Query() input: ExportAuditEntriesDto): Promise<StreamableFile> {
    return new StreamableFile(Readable.from(await this.exports.export(actor, input)), NDJSON);
  }
}

const NDJSON = { type: 'application/x-ndjson', disposition: 'attachment; filename="audit-log.ndjson"' };
