import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { AuthSession } from '../contract/rest.js';
import type { Actor } from '../platform/identity/actor.js';
import { CurrentActor, Public } from '../platform/identity/current-actor.decorator.js';
import { AuthService } from './auth.service.js';
import type { Caller } from './caller.js';
import { CurrentCaller } from './current-caller.decorator.js';
import { AuthSessionDto } from './dto/auth-session.dto.js';
import { LoginDto } from './dto/login.dto.js';
import { RefreshDto } from './dto/refresh.dto.js';
import { RegisterDto } from './dto/register.dto.js';
import { SessionsService } from './sessions.service.js';

/** Signing up, in and out over REST. */
@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  /** Makes a local account and signs it in. */
  @Public()
  @Post('register')
  @ApiCreatedResponse({ type: AuthSessionDto })
  register(@CurrentCaller() caller: Caller, @Body() input: RegisterDto): Promise<AuthSession> {
    return this.auth.register(caller, input);
  }

  /** Signs in with username and password. */
  @Public()
  @Post('login')
  @HttpCode(200)
  @ApiOkResponse({ type: AuthSessionDto })
  login(@CurrentCaller() caller: Caller, @Body() input: LoginDto): Promise<AuthSession> {
    return this.auth.login(caller, input);
  }

  /** Trades a refresh token for a new pair. Using an old one again ends the session. */
  @Public()
  @Post('refresh')
  @HttpCode(200)
  @ApiOkResponse({ type: AuthSessionDto })
  refresh(@CurrentCaller() caller: Caller, @Body() input: RefreshDto): Promise<AuthSession> {
    return this.auth.refresh(caller, input);
  }

  /** Ends the session of the token. */
  @ApiBearerAuth()
  @Post('logout')
  @HttpCode(204)
  @ApiNoContentResponse()
  logout(@CurrentActor() actor: Actor): Promise<void> {
    return this.sessions.logout(actor);
  }

  /** Ends every session of the user, on all devices. */
  @ApiBearerAuth()
  @Post('logout-all')
  @HttpCode(204)
  @ApiNoContentResponse()
  logoutAll(@CurrentActor() actor: Actor): Promise<void> {
    return this.sessions.logoutAll(actor);
  }
}
