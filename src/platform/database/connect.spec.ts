import { createServer, type AddressInfo, type Server } from 'node:net';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { loadConfig } from '../config/config.js';
import { connect, DatabaseUnavailable } from './connect.js';
import { databaseOptions } from './database.options.js';

Logger.overrideLogger(false);

describe('connect', () => {
  const dataSource = (url: string) =>
    new DataSource(databaseOptions(loadConfig({ DATABASE_URL: url, JWT_SECRET: 'x'.repeat(32) })));

  it('tries again, then fails with a sentence without the password', async () => {
    const server: Server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    let attempts = 0;
    server.on('connection', () => attempts++);
    const failed = connect(dataSource(`postgres://somebody:hunter2@${address}/chat`), 1500);
    await expect(failed).rejects.toThrow(DatabaseUnavailable);
    await expect(failed).rejects.toThrow(`Cannot use the database at ${address}/chat: `);
    await expect(failed).rejects.not.toThrow('hunter2');
    expect(attempts).toBe(2);
    await new Promise((resolve) => server.close(resolve));
  });
});
