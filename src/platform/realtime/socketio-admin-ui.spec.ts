import { Logger } from '@nestjs/common';
import { Server } from 'socket.io';
import { loadConfig } from '../config/config.js';
import type { Throttle } from '../throttling/throttle.js';
import { ClientAddress } from './client-address.js';
import { SocketIoAdminUi } from './socketio-admin-ui.js';

const HASH = '$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS';

describe('SocketIoAdminUi', () => {
  const config = loadConfig({ SOCKETIO_ADMIN_PASSWORD: HASH });
  // Nobody connects here.
  const of = (given: typeof config) => new SocketIoAdminUi(given, {} as Throttle, new ClientAddress(given));

  it('says once, with the command, that the package is missing, and the server does without', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const missing = '@socket.io/not-there';
    const adminUi = await of(config).load(() => import(missing));
    expect(warn.mock.calls).toEqual([[expect.stringContaining('npm install --no-save @socket.io/admin-ui')]]);
    const server = new Server();
    adminUi.install(server);
    expect([...server._nsps.keys()]).toEqual(['/']);
    warn.mockRestore();
  });

  it('a package that is broken stops the start', async () => {
    const broken = () => Promise.reject(new SyntaxError('Unexpected end of input'));
    await expect(of(config).load(broken)).rejects.toThrow('Unexpected end of input');
  });

  it('is not read unless it is asked for', async () => {
    const read = jest.fn();
    await of(loadConfig({})).load(read);
    expect(read).not.toHaveBeenCalled();
  });

  it('takes a bcrypt hash only: a password in clear is a mistake', () => {
    expect(() => loadConfig({ SOCKETIO_ADMIN_PASSWORD: 'changeit' })).toThrow('must be a bcrypt hash');
  });
});
