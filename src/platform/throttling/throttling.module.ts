import { Global, Module } from '@nestjs/common';
import { MemorySlidingWindowStore } from './memory-sliding-window.store.js';
import { SlidingWindowStore } from './sliding-window.store.js';
import { ThrottleInterceptor } from './throttle.interceptor.js';
import { Throttle } from './throttle.js';

/** The limits, over the one `SlidingWindowStore` of the process. */
@Global()
@Module({
  providers: [
    { provide: SlidingWindowStore, useFactory: () => new MemorySlidingWindowStore() },
    Throttle,
    ThrottleInterceptor,
  ],
  exports: [SlidingWindowStore, Throttle, ThrottleInterceptor],
})
export class ThrottlingModule {}
