/** A Socket.IO server that stores nothing: a token in the handshake, rooms, a broadcast and an acknowledgement. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { Server, type DefaultEventsMap } from 'socket.io';

interface User {
  id: string;
  name: string;
}
interface NewMessage {
  roomId: string;
  content: string;
}
type Ack = (answer: object) => void;
interface Commands {
  'room:join': (room: { roomId: string }, ack: Ack) => void;
  'message:send': (message: NewMessage, ack: Ack) => void;
  'event:answer': (payload: unknown, ack: Ack) => void;
}

const { PORT = '0', SECRET = '' } = process.env;
const server = createServer();
const io = new Server<Commands, DefaultEventsMap, DefaultEventsMap, { user: User }>(server);

io.use((socket, next) => {
  try {
    const { sub, name } = jwt.verify(String(socket.handshake.auth['token']), SECRET) as jwt.JwtPayload;
    socket.data.user = { id: String(sub), name: String(name) };
    next();
  } catch {
    next(new Error('Unauthorized'));
  }
});

io.on('connection', (socket) => {
  const { user: sender } = socket.data;

  socket.on('room:join', async ({ roomId }, ack) => {
    await socket.join(roomId);
    ack({ status: 'ok' });
  });

  socket.on('message:send', ({ roomId, content }, ack) => {
    const id = randomUUID();
    io.to(roomId).emit('message:new', { id, roomId, sender, content, createdAt: new Date() });
    ack({ status: 'ok', messageId: id });
  });

  // What one event costs: nothing is done but to answer it.
  socket.on('event:answer', (_payload, ack) => ack({ status: 'ok' }));
});

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${String((server.address() as { port: number }).port)}`);
});
