import { NAMESPACES, type NamespaceName } from '../../src/contract/namespaces.js';
import type { AnyLine } from '../harness/actor.js';
import { TestServer } from '../harness/server.js';
import { Visitor } from '../harness/visitor.js';
import { COMMAND_EXAMPLES } from './authorization/commands.js';
import { API_ROUTES, COMMANDS, OTHER_ROUTES } from './authorization/matrix.js';
import { REQUEST_EXAMPLES, type RequestExample } from './authorization/requests.js';
import { ROLES, RoleCast, type Cell, type Role } from './authorization/roles.js';
import { routesOf } from './routes/all.js';

type Row = [name: string, expected: Record<string, string>];

const namespaces = Object.keys(NAMESPACES) as NamespaceName[];
const commandTables = tablesOf(COMMANDS);
const apiRoutes = tablesOf(API_ROUTES)['/api/v1']!;
const otherRoutes = tablesOf(OTHER_ROUTES)['']!;

describe('authorization', () => {
  let server: TestServer;
  let cast: RoleCast;

  beforeAll(async () => {
    // No push leaves while it runs: its push services are made up.
    server = await TestServer.start({ PUSH_DELAY_SECONDS: '3600' });
    cast = await RoleCast.on(server);
  });
  afterAll(() => server.stop());

  /** The outcomes of one row, by role. */
  async function outcomes(of: (role: Role) => Promise<string>): Promise<Record<string, string>> {
    return Object.fromEntries(await Promise.all(ROLES.map(async (role) => [role, await of(role)] as const)));
  }

  it.each(namespaces)('has a row for every command of %s', (namespace) => {
    const rows = commandTables[namespace]!.map(([row]) => row.split(' ')[0]);
    expect([...new Set(rows)].sort()).toEqual([...NAMESPACES[namespace].commands].sort());
  });

  it('has a row for every route', () => {
    const rows = [
      ...apiRoutes.map(([row]) => routeOf(row).join(' /api/v1')),
      ...otherRoutes.map(([row]) => routeOf(row).join(' ')),
    ];
    expect([...new Set(rows)].sort()).toEqual(routesOf(server).sort());
  });

  it('has a row for every example', () => {
    for (const namespace of namespaces)
      expect(Object.keys(COMMAND_EXAMPLES[namespace]).sort()).toEqual(
        commandTables[namespace]!.map(([row]) => row).sort(),
      );
    const rows = apiRoutes.map(([row]) => row);
    expect(Object.keys(REQUEST_EXAMPLES).filter((name) => !rows.includes(name))).toEqual([]);
  });

  describe.each(namespaces)('%s', (namespace) => {
    /** Why each role is not let in; undefined: it is. */
    const refusals: Partial<Record<Role, string>> = {};

    beforeAll(async () => {
      for (const role of ROLES) {
        const token = cast.session(role)?.accessToken;
        const visitor = new Visitor(server.url, { namespace, ...(token && { auth: { token } }) });
        const code = await visitor.entry();
        if (code !== undefined) refusals[role] = code;
        else if (namespace !== '/chat') await lineOf(cast, role, namespace).connect();
        visitor.leave();
      }
    });

    it.each(commandTables[namespace]!)('%s', async (row, expected) => {
      const [command = ''] = row.split(' ');
      const found = await outcomes(async (role) => {
        const refused = refusals[role];
        if (refused !== undefined) return refused;
        const payload = await COMMAND_EXAMPLES[namespace][row]!(await cast.cell(role));
        const answer = await lineOf(cast, role, namespace).ack(command as never, payload);
        return answer.status === 'ok' ? 'ok' : answer.error.code;
      });
      expect(found).toEqual(expected);
    });
  });

  it.each(apiRoutes)('%s', async (row, expected) => {
    const found = await outcomes(async (role) => {
      const cell = await cast.cell(role);
      return request(server, row, `/api/v1${routeOf(row)[1]}`, cell, await REQUEST_EXAMPLES[row]?.(cell));
    });
    expect(found).toEqual(expected);
  });

  it.each(otherRoutes)('%s', async (row, expected) => {
    const found = await outcomes(async (role) =>
      request(server, row, routeOf(row)[1], await cast.cell(role), {}),
    );
    expect(found).toEqual(expected);
  });
});

function lineOf(cast: RoleCast, role: Role, namespace: NamespaceName): AnyLine {
  const line = cast.actor(role)?.lines.find((one) => one.namespace === namespace);
  if (!line) throw new Error(`${role} has no sockets`);
  return line;
}

async function request(
  server: TestServer,
  row: string,
  pattern: string,
  cell: Cell,
  { path = {}, query = '', body, headers, session = cell.session }: RequestExample = {},
): Promise<string> {
  const parts = { ...cell, ...path } as Record<string, unknown>;
  const address = pattern.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(String(parts[name])));
  const response = await fetch(`${server.url}${address}?${query}`, {
    method: routeOf(row)[0],
    redirect: 'manual',
    headers: {
      ...(session && { authorization: `Bearer ${session.accessToken}` }),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return 'ok';
  return (JSON.parse(text) as { code: string }).code;
}

/** Method and path of a row; what follows is said for people. */
function routeOf(row: string): [method: string, path: string] {
  const [method = '', path = ''] = row.split(' ');
  return [method, path];
}

/** The rows of each table in the text, by the table's name in its head. */
function tablesOf(text: string): Record<string, Row[]> {
  const tables = text.trim().split('\n\n');
  return Object.fromEntries(
    tables.map((table): [string, Row[]] => {
      const [head = [], ...rows] = table
        .split('\n')
        .map((line) => line.split('|').map((cell) => cell.trim()));
      const [name = '', ...roles] = head;
      return [
        name,
        rows.map(([row = '', ...cells]) => [
          row,
          Object.fromEntries(roles.map((role, index) => [role, cells[index] ?? ''])),
        ]),
      ];
    }),
  );
}
