import { Controller, Get, Header, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../platform/identity/current-actor.decorator.js';
import type { Page } from '../platform/pages/page.js';
import { EmailDialogues } from './email-dialogues.service.js';

/** The pages of the links in mails, outside `/api/v1`. */
@ApiExcludeController()
@Public()
@Controller('email')
export class EmailPagesController {
  constructor(private readonly dialogues: EmailDialogues) {}

  @Get('confirm')
  @Header('Cache-Control', 'no-store')
  async openConfirm(@Query('token') token: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.dialogues.openConfirm(token));
  }

  @Post('confirm')
  @Header('Cache-Control', 'no-store')
  async confirm(@Query('token') token: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.dialogues.confirm(token));
  }

  @Get('unsubscribe')
  @Header('Cache-Control', 'no-store')
  async openUnsubscribe(@Query('token') token: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.dialogues.openUnsubscribe(token));
  }

  @Post('unsubscribe')
  @Header('Cache-Control', 'no-store')
  async unsubscribe(@Query('token') token: unknown, @Res() response: Response): Promise<void> {
    show(response, await this.dialogues.unsubscribe(token));
  }
}

function show(response: Response, { status, html }: Page): void {
  response.status(status).type('html').send(html);
}
