import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Inbox } from './inbox.js';

/** A WebSocket whose frames the test writes itself, e.g. `40/chat,{"token":"..."}`. It records every frame under the name `frame`. */
export class RawSocket {
  readonly inbox = new Inbox();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.receive(data.toString()));
    socket.on('close', (code) => this.inbox.record('close', code));
    socket.on('error', (error) => this.inbox.record('failure', error.message));
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address, { headers });
    const raw = new RawSocket(socket);
    await once(socket, 'open');
    return raw;
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.socket.send(frame);
  }

  frames(start: string): string[] {
    return this.inbox.all<string>('frame').filter((frame) => frame.startsWith(start));
  }

  /** The first frame, or the first so many, that start like this. */
  async frame(start: string, count = 1): Promise<string> {
    await this.inbox.until(() => this.frames(start).length >= count, `${String(count)} frames like ${start}`);
    return this.frames(start)[count - 1]!;
  }

  closed(): Promise<void> {
    return this.inbox.until(() => this.inbox.all('close').length > 0, 'the end of the connection');
  }

  close(): void {
    this.socket.terminate();
  }

  private receive(frame: string): void {
    // The heartbeat is nobody's business here.
    if (frame === '2') this.socket.send('3');
    else this.inbox.record('frame', frame);
  }
}
