import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SECRETS, type Secrets } from '../platform/config/secrets.js';
import { SocketAuthenticator } from '../platform/realtime/socket-authenticator.js';
import { UsersModule } from '../users/users.module.js';
import { AccessTokens } from './access-tokens.js';
import { Administrator } from './administrator.service.js';
import { AuthBroadcaster } from './auth.broadcaster.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { Authenticator } from './authenticator.js';
import { HttpAuthGuard } from './http-auth.guard.js';
import { Passwords } from './passwords.js';
import { Provisioner } from './provisioner.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionEntity } from './session.entity.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SetupController } from './setup.controller.js';
import { SetupService } from './setup.service.js';

/** Who somebody is. Global, because the platform finds its `SocketAuthenticator` here. */
@Global()
@Module({
  imports: [
    UsersModule,
    TypeOrmModule.forFeature([SessionEntity]),
    JwtModule.registerAsync({
      inject: [SECRETS],
      useFactory: ({ jwtSecret }: Secrets) => ({ secret: jwtSecret }),
    }),
  ],
  controllers: [AuthController, SetupController],
  providers: [
    AccessTokens,
    Administrator,
    AuthBroadcaster,
    Authenticator,
    AuthService,
    Passwords,
    Provisioner,
    RefreshTokens,
    SessionsRepository,
    SessionsService,
    SetupService,
    { provide: SocketAuthenticator, useExisting: Authenticator },
    { provide: APP_GUARD, useClass: HttpAuthGuard },
  ],
  exports: [Administrator, SessionsService, SocketAuthenticator],
})
export class AuthModule {}
