/**
 * The chat server of every tutorial, in its best shape: Express, Socket.IO, a token in the handshake, one INSERT per
 * message through a pool of 10 connections, then a broadcast, then the acknowledgement.
 */
import { createServer } from 'node:http';
import express from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';
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
}

const { PORT = '0', DATABASE_URL, SECRET = '' } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
await pool.query(`
  CREATE TABLE IF NOT EXISTS messages (
    id bigserial PRIMARY KEY,
    room_id text NOT NULL,
    sender_id text NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room_id, created_at)`);

const server = createServer(express());
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
  const { user } = socket.data;

  socket.on('room:join', async ({ roomId }, ack) => {
    await socket.join(roomId);
    ack({ status: 'ok' });
  });

  socket.on('message:send', async ({ roomId, content }, ack) => {
    try {
      const { rows } = await pool.query<{ id: string; created_at: Date }>(
        'INSERT INTO messages (room_id, sender_id, content) VALUES ($1, $2, $3) RETURNING id, created_at',
        [roomId, user.id, content],
      );
      const { id, created_at: createdAt } = rows[0] as { id: string; created_at: Date };
      io.to(roomId).emit('message:new', { id, roomId, sender: user, content, createdAt });
      ack({ status: 'ok', messageId: id });
    } catch (error) {
      ack({ status: 'error', error: String(error) });
    }
  });
});

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${String((server.address() as { port: number }).port)}`);
});
