import { Global, Module } from '@nestjs/common';
import { ConnectionCount } from '../health/connection-count.js';
import { Connections } from './connections.js';
import { HandshakeLine } from './handshake-line.js';
import { Handshake } from './handshake.js';
import { Publisher } from './publisher.js';
import { RealtimeServer } from './realtime-server.js';
import { RoomSubscriptions } from './room-subscriptions.js';

@Global()
@Module({
  providers: [
    RealtimeServer,
    Connections,
    { provide: ConnectionCount, useExisting: Connections },
    HandshakeLine,
    Handshake,
    Publisher,
    RoomSubscriptions,
  ],
  exports: [RealtimeServer, Connections, ConnectionCount, Handshake, Publisher, RoomSubscriptions],
})
export class RealtimeModule {}
