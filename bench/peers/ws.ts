/** A bare `ws` server: what one socket sends is encoded once and sent to all others in a loop, then acknowledged. */
import { WebSocket, WebSocketServer } from 'ws';

const { PORT = '0' } = process.env;
const server = new WebSocketServer({ port: Number(PORT), host: '127.0.0.1' });

server.on('connection', (sender) => {
  sender.on('message', (frame: Buffer) => {
    const { ack, event, payload } = JSON.parse(frame.toString()) as Record<string, unknown>;
    const encoded = JSON.stringify({ event, payload });
    for (const client of server.clients)
      if (client !== sender && client.readyState === WebSocket.OPEN) client.send(encoded);
    sender.send(JSON.stringify({ ack, status: 'ok' }));
  });
});

server.on('listening', () => {
  console.log(`listening on ${String((server.address() as { port: number }).port)}`);
});
