import { Global, Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { ConnectionCount } from '../health/connection-count.js';
import { Throttle } from '../throttling/throttle.js';
import { ClientAddress } from './client-address.js';
import { Connections } from './connections.js';
import { FrameQueue } from './frame-queue.js';
import { HandshakeLine } from './handshake-line.js';
import { Handshake } from './handshake.js';
import { OpenConnections } from './open-connections.js';
import { Publisher } from './publisher.js';
import { RealtimeServer } from './realtime-server.js';
import { RoomSubscriptions } from './room-subscriptions.js';
import { SlowConsumers } from './slow-consumers.js';
import { SocketIoAdminUi } from './socketio-admin-ui.js';

@Global()
@Module({
  providers: [
    RealtimeServer,
    ClientAddress,
    Connections,
    { provide: ConnectionCount, useExisting: Connections },
    FrameQueue,
    HandshakeLine,
    Handshake,
    OpenConnections,
    Publisher,
    RoomSubscriptions,
    SlowConsumers,
    {
      provide: SocketIoAdminUi,
      inject: [CONFIG, Throttle, ClientAddress],
      useFactory: (...dependencies: ConstructorParameters<typeof SocketIoAdminUi>) =>
        new SocketIoAdminUi(...dependencies).load(),
    },
  ],
  exports: [
    RealtimeServer,
    Connections,
    ConnectionCount,
    FrameQueue,
    Handshake,
    OpenConnections,
    Publisher,
    RoomSubscriptions,
    SocketIoAdminUi,
  ],
})
export class RealtimeModule {}
