import { JwtService } from '@nestjs/jwt';
import pg from 'pg';

/** Signs the tokens of all servers of the benchmark. */
export const SECRET = 'a secret for measuring that is long enough';
const TOKEN_SECONDS = 6 * 3600;

/** A user of the benchmark, and the rooms they are a member of. */
export interface Person {
  id: string;
  rooms: string[];
}

/** `rooms` rooms of `members` people each. Where `connections` does not suffice for all, people are in several rooms. */
export function peopleInRooms(rooms: number, members: number, connections = rooms * members): Person[] {
  const people = Array.from({ length: connections }, (_, index): Person => ({
    id: `user-${index}`,
    rooms: [],
  }));
  for (let place = 0; place < rooms * members; place += 1)
    people[place % connections]?.rooms.push(`room-${Math.floor(place / members)}`);
  return people;
}

export function tokenOf({ id }: Person): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { sub: id, name: id, iss: 'parley', aud: 'parley', iat, exp: iat + TOKEN_SECONDS };
  return new JwtService({ secret: SECRET }).sign(claims, { algorithm: 'HS256' });
}

/** Users, public rooms and memberships of the product, and what `fill` adds. */
export async function insertPeople(
  databaseUrl: string,
  people: readonly Person[],
  fill?: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO users (id, username, username_key, name, role)
       SELECT id, id, id, id, 'user' FROM unnest($1::text[]) AS id`,
      [people.map(({ id }) => id)],
    );
    const places = people.flatMap(({ id, rooms }) => rooms.map((roomId) => ({ id, roomId })));
    const given = [places.map(({ roomId }) => roomId), places.map(({ id }) => id)];
    await client.query(
      `INSERT INTO rooms (id, type, name, member_count)
       SELECT room_id, 'public', room_id, count(*) FROM unnest($1::text[], $2::text[]) AS p (room_id, user_id)
       GROUP BY room_id`,
      given,
    );
    await client.query(
      `INSERT INTO room_members (room_id, user_id, role)
       SELECT room_id, user_id, 'member' FROM unnest($1::text[], $2::text[]) AS p (room_id, user_id)`,
      given,
    );
    await fill?.(client);
    // As after a while of life: plans are made for the tables as they are.
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}
