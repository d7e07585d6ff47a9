import { Body, Controller, Get, Header, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../platform/identity/current-actor.decorator.js';
import type { Page } from '../platform/pages/page.js';
import { SetupService } from './setup.service.js';

/** The pages of the one-time link, outside `/api/v1`. */
@ApiExcludeController()
@Public()
@Controller('setup')
export class SetupController {
  constructor(private readonly setup: SetupService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async open(@Query('token') token: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.setup.open(token));
  }

  @Post()
  @Header('Cache-Control', 'no-store')
  async submit(@Body() form: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.setup.submit(form));
  }
}

function show(response: Response, { status, html }: Page): void {
  response.status(status).type('html').send(html);
}
