import { Inject, Injectable, Logger } from '@nestjs/common';
import type { instrument } from '@socket.io/admin-ui';
import type { Server, Socket } from 'socket.io';
import type { Config } from '../config/config.js';
import { CONFIG } from '../config/config.module.js';
import { toAppError } from '../errors/to-app-error.js';
import { addressKey } from '../throttling/address-key.js';
import { Throttle } from '../throttling/throttle.js';
import { ClientAddress } from './client-address.js';

const NAMESPACE = '/socketio-admin';
/** In a variable: it is no dependency, and no tool shall look for it. */
const PACKAGE = '@socket.io/admin-ui';

interface AdminUiPackage {
  instrument: typeof instrument;
}

/**
 * Socket.IO's own admin UI, when `SOCKETIO_ADMIN_PASSWORD` is set and its package is installed: read-only, in a namespace
 * of its own with an authentication of its own. It shows transports and packets; people, rooms and acts are in `/admin`.
 */
@Injectable()
export class SocketIoAdminUi {
  private readonly logger = new Logger(SocketIoAdminUi.name);
  private adminUi: AdminUiPackage | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly throttle: Throttle,
    private readonly addresses: ClientAddress,
  ) {}

  /** Before the socket server is made. */
  async load(read = (): Promise<unknown> => import(PACKAGE)): Promise<this> {
    if (!this.config.realtime.adminUi) return this;
    try {
      this.adminUi = (await read()) as AdminUiPackage;
    } catch (error) {
      if (!/MODULE_NOT_FOUND$/.test(String((error as { code?: unknown }).code))) throw error;
      this.logger.warn(
        `SOCKETIO_ADMIN_PASSWORD is set, but ${PACKAGE} is not installed: npm install --no-save ${PACKAGE}`,
      );
    }
    return this;
  }

  /** Its namespace has no users of ours: the handshake of all others does not run there. */
  owns(namespace: string): boolean {
    return namespace === NAMESPACE;
  }

  install(server: Server): void {
    const { adminUi } = this.config.realtime;
    if (!this.adminUi || !adminUi) return;
    // First, so that it runs before the check of the password.
    server.of(NAMESPACE).use((socket, next) => void this.admit(socket, next));
    this.adminUi.instrument(server, {
      namespaceName: NAMESPACE,
      auth: { type: 'basic', username: adminUi.username, password: adminUi.passwordHash },
      readonly: true,
      mode: 'production',
    });
  }

  /** The package tries passwords without a limit, and one that is no text would end the process. */
  private async admit(socket: Socket, next: (error?: Error) => void): Promise<void> {
    try {
      await this.throttle.check('logins', `socketio-admin:${addressKey(this.addresses.of(socket.request))}`);
      const { username, password, sessionId } = socket.handshake.auth;
      const isText = [username, password, sessionId].every(
        (value) => isAbsent(value) || typeof value === 'string',
      );
      if (isText && isAbsent(username) === isAbsent(password)) next();
      else next(new Error('invalid credentials'));
    } catch (error) {
      next(new Error(toAppError(error).message));
    }
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
