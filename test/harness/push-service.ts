import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PushPayload, SubscribePush } from '../../src/contract/rest.js';
import { Inbox } from './inbox.js';

interface PushAnswer {
  status: number;
  headers?: Record<string, string>;
  /** The push service takes its time. */
  after?: Promise<unknown>;
}

interface Delivered {
  headers: IncomingHttpHeaders;
  payload: PushPayload;
}

/** A browser that has subscribed: it alone can read what is pushed to it. */
export interface TestBrowser {
  subscription: SubscribePush;
  path: string;
}

/** A push service on loopback, with the browsers it knows. What comes is decrypted as the browser would. */
export class PushService {
  /** What was accepted, by the path of the browser; and every attempt as `attempt`. */
  readonly inbox = new Inbox();
  private readonly browsers = new Map<string, { keys: ECDH; auth: Buffer }>();
  private readonly answers = new Map<string, PushAnswer[]>();

  private constructor(
    private readonly server: Server,
    private readonly url: string,
  ) {}

  static async start(): Promise<PushService> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const service = new PushService(server, `http://127.0.0.1:${String(port)}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        const {
          status,
          headers = {},
          after = Promise.resolve(),
        } = service.answers.get(path)?.shift() ?? { status: 201 };
        service.inbox.record('attempt', { path, status });
        if (status === 201)
          service.inbox.record(path, {
            headers: request.headers,
            payload: service.read(path, Buffer.concat(chunks)),
          });
        void after.then(() => response.writeHead(status, headers).end());
      });
    });
    return service;
  }

  /** The next answers to pushes for that browser; afterwards they are accepted. */
  answersTo(browser: TestBrowser, ...answers: PushAnswer[]): void {
    this.answers.set(browser.path, answers);
  }

  browser(): TestBrowser {
    const keys = createECDH('prime256v1');
    keys.generateKeys();
    const auth = randomBytes(16);
    const path = `/push/${randomBytes(8).toString('hex')}`;
    this.browsers.set(path, { keys, auth });
    return {
      path,
      subscription: {
        endpoint: `${this.url}${path}`,
        keys: { p256dh: keys.getPublicKey().toString('base64url'), auth: auth.toString('base64url') },
      },
    };
  }

  /** The next push that browser can read. */
  delivered(browser: TestBrowser, fields: object = {}): Promise<Delivered> {
    return this.inbox.find<Delivered>(browser.path, fields);
  }

  all(browser: TestBrowser): PushPayload[] {
    return this.inbox.all<Delivered>(browser.path).map(({ payload }) => payload);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private read(path: string, body: Buffer): PushPayload {
    const browser = this.browsers.get(path);
    if (!browser) throw new Error(`No browser at ${path}`);
    return JSON.parse(decrypted(body, browser.keys, browser.auth)) as PushPayload;
  }
}

/** One record of RFC 8188 with the keys of RFC 8291, written down here once more to check the sender. */
function decrypted(body: Buffer, keys: ECDH, auth: Buffer): string {
  const [salt, sender] = [body.subarray(0, 16), body.subarray(21, 21 + (body[20] ?? 0))];
  const content = body.subarray(21 + sender.length);
  const hkdf = (key: Buffer, with_: Buffer, info: (string | Buffer)[], length: number) =>
    Buffer.from(hkdfSync('sha256', key, with_, Buffer.concat(info.map((part) => Buffer.from(part))), length));
  const shared = hkdf(keys.computeSecret(sender), auth, ['WebPush: info\0', keys.getPublicKey(), sender], 32);
  const key = hkdf(shared, salt, ['Content-Encoding: aes128gcm\0'], 16);
  const nonce = hkdf(shared, salt, ['Content-Encoding: nonce\0'], 12);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(content.subarray(-16));
  const padded = Buffer.concat([decipher.update(content.subarray(0, -16)), decipher.final()]);
  return padded.subarray(0, padded.lastIndexOf(2)).toString();
}
