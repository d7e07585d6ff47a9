import { createClient, register, signIn, type ParleyClient, type SignIn } from '../../client/src/index.js';
import { Administrator } from '../../src/auth/administrator.service.js';
import { RealtimeServer } from '../../src/platform/realtime/realtime-server.js';
import type { User } from '../../src/contract/views.js';
import type { TestServer } from '../harness/server.js';

const PASSWORD = 'correct horse battery';
const DEADLINE_MS = 15_000;

interface ClientPerson {
  client: ParleyClient;
  id: string;
  user: User;
}

/** People who use a server through the SDK. */
export class ClientPeople {
  private readonly clients: ParleyClient[] = [];

  constructor(private readonly server: TestServer) {}

  async person(username: string): Promise<ClientPerson> {
    return this.with(await register({ url: this.server.url, username, password: PASSWORD }));
  }

  async administrator(username = 'root'): Promise<ClientPerson> {
    await this.server.app
      .get(Administrator, { strict: false })
      .createUser({ username, password: PASSWORD, role: 'admin' });
    return this.device(username);
  }

  /** One more device of somebody. */
  async device(username: string): Promise<ClientPerson> {
    return this.with(await signIn({ url: this.server.url, username, password: PASSWORD }));
  }

  /** Cuts every connection of a user, as a network would: without a word. */
  cut(userId: string): void {
    for (const socket of this.server.app.get(RealtimeServer).namespace('/chat').sockets.values())
      if (socket.data.actor.userId === userId) socket.conn.close(true);
  }

  close(): void {
    for (const client of this.clients.splice(0)) client.close();
  }

  private with({ user, getToken }: SignIn): ClientPerson {
    const client = createClient({ url: this.server.url, getToken, timing: { retryBaseMs: 50 } });
    this.clients.push(client);
    return { client, id: user.id, user };
  }
}

/** Resolves when it holds; `on` attaches what is told whenever it may have come to hold. */
export function until(
  what: string,
  holds: () => boolean,
  on: (look: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`Never: ${what}`));
    }, DEADLINE_MS);
    const look = () => {
      if (!holds()) return;
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = on(look);
    look();
  });
}
