import { Global, Module } from '@nestjs/common';
import { JobQueuesRepository } from './job-queues.repository.js';
import { JobRunner } from './job-runner.js';
import { Jobs } from './jobs.js';
import { JobsRepository } from './jobs.repository.js';

@Global()
@Module({ providers: [JobQueuesRepository, JobsRepository, JobRunner, Jobs], exports: [Jobs] })
export class JobsModule {}
