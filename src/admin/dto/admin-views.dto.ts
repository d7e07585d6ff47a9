import { ApiProperty } from '@nestjs/swagger';
import type { AdminStats, ConnectionInfo } from '../../contract/admin.js';
import type { ErrorCode } from '../../contract/errors.js';
import type { Page } from '../../contract/rest.js';
import type { UserRole } from '../../contract/views.js';
import type { Account } from '../../users/user.view.js';
import type { DeadFactView, DeadJobView } from '../dead-work.service.js';

const COUNTS = { type: 'object', additionalProperties: { type: 'number' } } as const;

class AckDto {
  p50!: number;
  p99!: number;
}

class DelayDto {
  mean!: number;
  p99!: number;
}

class MemoryDto {
  rssBytes!: number;
  heapUsedBytes!: number;
}

class PoolDto {
  size!: number;
  idle!: number;
  waiting!: number;
}

class QueuedDto {
  writes!: number;
  outbox!: number;
  jobs!: number;
}

/** The statistics, as the documents of the API describe them. */
export class AdminStatsDto implements AdminStats {
  at!: string;
  nodes!: number;
  uptimeSeconds!: number;
  /** Open sockets by namespace. */
  @ApiProperty(COUNTS)
  connections!: Record<string, number>;
  transports!: number;
  /** People with a connection. */
  users!: number;
  /** Rooms with somebody connected. */
  rooms!: number;
  messagesPerSecond!: number;
  /** Events handed to sockets. */
  deliveriesPerSecond!: number;
  commandsPerSecond!: number;
  /** From a command to its answer; null when there was none. */
  ackMs!: AckDto | null;
  /** Refusals by code. */
  @ApiProperty(COUNTS)
  errors!: Partial<Record<ErrorCode, number>>;
  eventLoopDelayMs!: DelayDto;
  memory!: MemoryDto;
  pool!: PoolDto;
  queued!: QueuedDto;
}

class ConnectionInfoDto implements ConnectionInfo {
  id!: string;
  userId!: string;
  username!: string;
  namespaces!: string[];
  transport!: string;
  address!: string;
  connectedAt!: string;
  activeAt!: string;
}

export class ConnectionsPageDto implements Page<ConnectionInfo> {
  data!: ConnectionInfoDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}

class AccountDto implements Account {
  id!: string;
  username!: string;
  name!: string;
  avatarUrl?: string;
  role!: UserRole;
  createdAt!: string;
  suspendedAt?: string;
}

export class AccountsPageDto implements Page<Account> {
  data!: AccountDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}

class DeadJobDto implements DeadJobView {
  id!: string;
  queue!: string;
  data!: object;
  failedAt!: string;
  error!: string;
  attempts!: number;
}

export class DeadJobsPageDto implements Page<DeadJobView> {
  data!: DeadJobDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}

class DeadFactDto implements DeadFactView {
  id!: number;
  topic!: string;
  payload!: object;
  deadAt!: string;
  error!: string;
  attempts!: number;
}

export class DeadFactsPageDto implements Page<DeadFactView> {
  data!: DeadFactDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}
