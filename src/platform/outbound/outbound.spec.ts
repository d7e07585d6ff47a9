import { createServer, type Server } from 'node:net';
import type { LookupAddress } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { Outbound } from './outbound.js';
import { isPublicAddress } from './public-address.js';

describe('isPublicAddress', () => {
  it.each(['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:1.1.1.1'])(
    '%s may be dialled',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:0a00:0001',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    '2001:db8::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'example.com',
    '',
  ])('%j may not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('Outbound', () => {
  let listener: Server;
  let port: string;
  let connections = 0;
  const dialled: string[] = [];

  beforeAll(async () => {
    listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    port = String((listener.address() as AddressInfo).port);
  });
  afterAll(() => new Promise((resolve) => listener.close(resolve)));
  beforeEach(() => {
    connections = 0;
    dialled.length = 0;
  });

  /** A name server that answers each time with the next of these. */
  function outboundWith(allowPrivate: boolean, ...answers: LookupAddress[][]): Outbound {
    return new Outbound({
      allowPrivate,
      resolve: (hostname, _options, callback) => {
        dialled.push(hostname);
        callback(null, answers.shift() ?? []);
      },
    });
  }
  const ask = (outbound: Outbound, url: string) =>
    outbound.post(url, { headers: {}, body: Buffer.from('x'), signal: new AbortController().signal });
  const ipv4 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }));

  it('refuses a name that leads to the own machine, also beside a public address, whatever it led to before', async () => {
    const outbound = outboundWith(false, ipv4('127.0.0.1'), ipv4('1.1.1.1', '127.0.0.1'), [
      { address: '::ffff:127.0.0.1', family: 6 },
    ]);
    for (let n = 1; n <= 3; n++)
      await expect(ask(outbound, `https://rebinding.example:${port}/`)).rejects.toMatchObject({
        name: 'ForbiddenTarget',
      });
    expect([dialled.length, connections]).toEqual([3, 0]);
    await outbound.close();
  });

  it('a name that does not exist is an ordinary failure, though the resolver then gives no list at all', async () => {
    const outbound = new Outbound({
      allowPrivate: false,
      resolve: (_hostname, _options, callback) =>
        (callback as (error: Error) => void)(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' })),
    });
    await expect(ask(outbound, 'https://nowhere.example/')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await outbound.close();
  });

  it('asks nobody about an address in digits, and refuses it', async () => {
    const outbound = outboundWith(false);
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '2130706433', '0x7f.1'])
      await expect(ask(outbound, `https://${host}:${port}/`)).rejects.toMatchObject({
        name: 'ForbiddenTarget',
      });
    await expect(ask(outbound, `http://example.com:${port}/`)).rejects.toMatchObject({
      name: 'ForbiddenTarget',
    });
    expect([dialled, connections]).toEqual([[], 0]);
    await outbound.close();
  });

  it('goes there when private networks are allowed', async () => {
    const outbound = outboundWith(true);
    await expect(ask(outbound, `http://127.0.0.1:${port}/`)).rejects.not.toMatchObject({
      name: 'ForbiddenTarget',
    });
    expect(connections).toBe(1);
    await outbound.close();
  });
});
