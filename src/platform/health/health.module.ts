import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';
import { WorkInFlight } from './work-in-flight.js';

/** Needs `ConnectionCount` from a global module (platform/realtime). */
@Global()
@Module({
  // Its logger prints the driver's message; the filter logs the refusal without it.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [Readiness, WorkInFlight],
  exports: [Readiness, WorkInFlight],
})
export class HealthModule {}
