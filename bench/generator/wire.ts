/** How a server is spoken to: the texts inside the WebSocket frames. */
export interface Wire {
  path: string;
  /** Socket.IO greets, takes a token, and may have more to say before a client is ready. */
  greeting?: { namespace: string; readyEvent?: string; auth?: object };
  /** Rooms are joined by `room:join`. */
  joins: boolean;
  /** Several deliveries may come in one frame: all bodies are counted through. */
  batches?: boolean;
  /** A command that is acknowledged under this number. */
  command(id: number, event: string, payload: string): string;
  /** What an acknowledgement begins with; the number follows, then `ok` when nothing was refused. */
  ack: Buffer;
  ok: Buffer;
  /** What an event begins with. */
  event(name: string): Buffer;
}

interface SocketIoOptions {
  readyEvent?: string;
  joins: boolean;
  batches?: boolean;
}

function socketIo(namespace: string, { readyEvent, joins, batches = false }: SocketIoOptions): Wire {
  return {
    path: '/socket.io/?EIO=4&transport=websocket',
    greeting: { namespace, readyEvent, auth: batches ? { batch: true } : {} },
    joins,
    batches,
    command: (id, event, payload) => `42${namespace}${id}["${event}",${payload}]`,
    ack: Buffer.from(`43${namespace}`),
    ok: Buffer.from('[{"status":"ok"'),
    event: (name) => Buffer.from(`42${namespace}["${name}",`),
  };
}

export const WIRES = {
  /** Subscribes a new connection to the rooms of its user by itself. */
  product: socketIo('/chat,', { readyEvent: 'session:ready', joins: false }),
  /** The same for clients that ask for `message:batch`. */
  productBatches: socketIo('/chat,', { readyEvent: 'session:ready', joins: false, batches: true }),
  productPresence: socketIo('/presence,', { readyEvent: 'presence:list', joins: false }),
  socketio: socketIo('', { joins: true }),
  ws: {
    path: '/',
    joins: false,
    command: (id, event, payload) => `{"ack":${id},"event":"${event}","payload":${payload}}`,
    ack: Buffer.from('{"ack":'),
    ok: Buffer.from(',"status":"ok"}'),
    event: (name) => Buffer.from(`{"event":"${name}",`),
  },
} satisfies Record<string, Wire>;

export type WireName = keyof typeof WIRES;
