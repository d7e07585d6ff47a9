/** The clients of `presence.ts`, in a process of their own: WebSockets that speak just enough of Socket.IO. */
import { WebSocket } from 'ws';

export type Order =
  | { does: 'start'; url: string }
  | { does: 'connect'; tokens: string[]; watch?: string[] }
  | { does: 'shine'; token: string; watchers: number }
  | { does: 'count' }
  | { does: 'leave' };

export interface Answer {
  problem?: string;
  /** Ms until each watcher knew. */
  delays?: number[];
  /** Sockets that are open. */
  open?: number;
}

/** Handshakes at once. */
const AT_ONCE = 40;
const PATIENCE_MS = 30_000;

let url = '';
const watchers: WebSocket[] = [];
const idle: WebSocket[] = [];
/** Called for every `presence:update` of a watcher. */
let heard: (packet: string) => void = () => undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ problem: String(error) }),
  );
});

async function obey(order: Order): Promise<Answer> {
  switch (order.does) {
    case 'start':
      url = order.url;
      return {};
    case 'connect':
      await connectAll(order.tokens, order.watch);
      return {};
    case 'shine':
      return { delays: await shine(order.token, order.watchers) };
    case 'count':
      return {
        open: [...watchers, ...idle].filter(({ readyState }) => readyState === WebSocket.OPEN).length,
      };
    case 'leave':
      for (const socket of idle) socket.close();
      return {};
  }
}

async function connectAll(tokens: string[], watch?: string[]): Promise<void> {
  const waiting = [...tokens];
  const worker = async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      const lists = watch ? 2 : 1;
      const socket = await connect(token, lists, watch);
      (watch ? watchers : idle).push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Resolves when as many lists came as were asked for: the one of the beginning, and one for what is watched. */
function connect(token: string, lists: number, watch?: string[]): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a socket did not open')), PATIENCE_MS);
    let left = lists;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a socket was closed')));
    socket.on('message', (data: Buffer) => {
      const packet = data.toString();
      if (packet === '2') socket.send('3');
      else if (packet.startsWith('0')) socket.send(`40/presence,${JSON.stringify({ token })}`);
      else if (packet.startsWith('44/presence')) reject(new Error(packet));
      else if (packet.startsWith('42/presence,["presence:update"')) heard(packet);
      else if (packet.startsWith('42/presence,["presence:list"')) {
        if (left === lists && watch)
          socket.send(`42/presence,${JSON.stringify(['presence:watch', { userIds: watch }])}`);
        if ((left -= 1) > 0) return;
        clearTimeout(timer);
        resolve(socket);
      }
    });
  });
}

/** The star comes, everybody who watches is told, and the star goes. */
async function shine(token: string, count: number): Promise<number[]> {
  const delays: number[] = [];
  const star = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
  let asked = 0;
  const all = new Promise<void>((resolve, reject) => {
    setTimeout(() => reject(new Error(`${String(delays.length)} watchers were told`)), PATIENCE_MS).unref();
    heard = (packet) => {
      if (!packet.includes('"status":"online"')) return;
      delays.push(performance.now() - asked);
      if (delays.length === count) resolve();
    };
  });
  star.on('message', (data: Buffer) => {
    const packet = data.toString();
    if (packet === '2') star.send('3');
    if (!packet.startsWith('0')) return;
    // The transport is open; what follows is the handshake of the namespace and what it causes.
    asked = performance.now();
    star.send(`40/presence,${JSON.stringify({ token })}`);
  });
  await all;
  heard = () => undefined;
  star.close();
  return delays;
}
