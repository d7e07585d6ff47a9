import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import proxyAddr from 'proxy-addr';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';

/** Where a handshake comes from, as the trusted proxies tell it: the same rules as Express has for requests. */
@Injectable()
export class ClientAddress {
  private readonly trusted: Parameters<typeof proxyAddr>[1];

  constructor(@Inject(CONFIG) { http: { trustProxy } }: Config) {
    this.trusted =
      typeof trustProxy === 'number'
        ? (_address, hop) => hop < trustProxy
        : proxyAddr.compile(trustProxy.split(',').map((part) => part.trim()));
  }

  of(request: IncomingMessage): string {
    return proxyAddr(request, this.trusted);
  }
}
