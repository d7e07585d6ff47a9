import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ERRORS, type ErrorCode } from '../../src/contract/errors.js';
import type { Actor } from '../harness/actor.js';
import { MARKER, faultsIn, isRight, payloadOf, valuesFor, type Field } from '../harness/hostile.js';
import { TestServer } from '../harness/server.js';
import { makeWorld } from './hostile-world.js';
import { allRoutes, routesOf } from './routes/all.js';
import type { Fields, Route, Routes } from './routes/route.js';

type Target = [method: string, path: string, token?: string];

interface Answer {
  status: number;
  type: string;
  text: string;
}

const AGENT = new Agent({ keepAlive: true, maxSockets: 8 });
const AT_ONCE = 50;

describe('hostile REST', () => {
  let server: TestServer;
  let alice: Actor;
  let bob: Actor;
  /** Sessions of their own: no request ends the ones of the sockets. */
  let tokens: { alice: string; root: string };
  let table: Routes;

  beforeAll(async () => {
    server = await TestServer.start();
    const world = await makeWorld(server);
    ({ alice, bob } = world);
    await alice.does('room:invite', { roomId: world.hall, userId: world.stranger });
    table = allRoutes(world);
    tokens = {
      alice: (await server.login('alice')).accessToken,
      root: (await server.login('root')).accessToken,
    };
  });
  afterAll(() => server.stop());

  afterEach(async () => {
    expect(faultsIn(server.log)).toEqual([]);
    for (const neighbour of [alice, bob]) {
      await neighbour.does('room:positions', { roomIds: ['hall'] });
      for (const wrong of ['error', 'disconnect', 'session:closing'])
        expect(neighbour.inbox.all(wrong)).toEqual([]);
    }
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  /** The address as it is, nothing mended. */
  function send(
    [method, path, token = tokens.alice]: Target,
    body?: string | Buffer,
    headers: Record<string, string | string[]> = {},
  ): Promise<Answer> {
    const { hostname, port } = new URL(server.url);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          hostname,
          port,
          method,
          path,
          agent: AGENT,
          headers: {
            authorization: `Bearer ${token}`,
            ...type,
            'content-length': Buffer.byteLength(body ?? ''),
            ...headers,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('error', reject).on('end', () => {
            resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
          });
        },
      );
      request.on('error', reject);
      request.setTimeout(10_000, () => request.destroy(new Error('No answer')));
      request.end(body);
    });
  }

  type Attempt = [what: string, judge: (answer: Answer) => string | undefined, ...Parameters<typeof send>];

  /** What is wrong with the answers, some at a time. */
  async function problemsOf(attempts: Attempt[]): Promise<string[]> {
    const problems: string[] = [];
    for (let from = 0; from < attempts.length; from += AT_ONCE)
      await Promise.all(
        attempts.slice(from, from + AT_ONCE).map(async ([what, judge, ...args]) => {
          const answer = await send(...args).catch((error: unknown) => ({
            status: 0,
            type: '',
            text: String(error),
          }));
          const problem = judge(answer);
          if (problem !== undefined)
            problems.push(`${args[0][0]} ${args[0][1].slice(0, 120)} with ${what}: ${problem}`);
        }),
      );
    return problems;
  }

  /** The address of a route, with one part or the query replaced. */
  function addressOf(key: string, more: { path?: Record<string, string>; query?: string } = {}): Target {
    const [method = '', pattern = ''] = key.split(' ');
    const { path = {}, query = {}, byAdministrator } = table[key]!;
    const filled = pattern.replace(
      /:(\w+)/g,
      (_all, name: string) => more.path?.[name] ?? encodeURIComponent(String(path[name]!.valid)),
    );
    return [
      method,
      `${filled}?${more.query ?? queryOf(query)}`,
      byAdministrator ? tokens.root : tokens.alice,
    ];
  }

  const bodyOf = (key: string) => table[key]?.body && payloadOf(table[key].body);
  const routesWith = (part: keyof Route) => Object.keys(table).filter((key) => table[key]![part]);
  /** Ends the session that the requests are made with, or is not ours to spoil. */
  const every = () => Object.keys(table).filter((key) => !table[key]!.endsSession && !table[key]!.html);

  it('has a row for every route', () => {
    expect(Object.keys(table).sort()).toEqual(routesOf(server).sort());
  });

  it('takes the valid examples', async () => {
    for (const key of every()) {
      const { status, text } = await send(addressOf(key), bodyOf(key));
      const expected = table[key]!.status;
      expect([key, text.slice(0, 300), expected ? status === expected : status < 300]).toEqual([
        key,
        text.slice(0, 300),
        true,
      ]);
    }
  });

  it('names the field of a body that holds a wrong value, is missing or not known', async () => {
    const attempts = routesWith('body').flatMap((key): Attempt[] => {
      const fields = table[key]!.body!;
      const to = addressOf(key);
      const whole = payloadOf(fields).slice(0, -1);
      const values = Object.entries(fields).flatMap(([name, field]) => [
        ...valuesFor(field).map(([what, json]): Attempt => {
          const judge = isRight(field, JSON.parse(json)) ? anyAnswer : refusal(new RegExp(`^${name}(\\.|$)`));
          return [`${name} = ${what}`, judge, to, payloadOf(fields, name, json)];
        }),
        [
          `${name} missing`,
          field.optional ? anyAnswer : refusal(new RegExp(`^${name}$`)),
          to,
          payloadOf(fields, name),
        ] satisfies Attempt,
      ]);
      const marker = JSON.stringify(MARKER);
      const extra = [
        '"surplus":null',
        `"role2":${marker}`,
        `"id":${marker}`,
        `"__proto__":{"isAdmin":${marker}}`,
        '"constructor":{"prototype":{"isAdmin":true}}',
        `${marker}:1`,
        '"toString":1',
        '"":1',
      ];
      const path = /^(surplus|role2|id|\(unknown field\)|\(payload\))$/;
      return [...values, ...extra.map((json): Attempt => [json, refusal(path), to, `${whole},${json}}`])];
    });
    expect(await problemsOf(attempts)).toEqual([]);
  }, 300_000);

  it('refuses bodies that are not one JSON object', async () => {
    const invalid = [
      'null',
      'true',
      '1',
      JSON.stringify(MARKER),
      '[]',
      '[{}]',
      `{"a":`,
      `{"a":${MARKER}}`,
      '{}{}',
      "{'a':1}",
      '\u0000',
      'NaN',
      '\ufeff{"a":',
      '['.repeat(30_000),
      Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
    ];
    const attempts = routesWith('body').flatMap((key) =>
      invalid.map((body): Attempt => [
        String(body).slice(0, 40),
        refusal(/^\((body|payload)\)$/),
        addressOf(key),
        body,
      ]),
    );
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('refuses no body where fields are needed', async () => {
    const keys = routesWith('body').filter((key) =>
      Object.values(table[key]!.body!).some(({ optional }) => !optional),
    );
    const attempts = keys.flatMap((key): Attempt[] => [
      ['no body', refusal(/^\w+$/), addressOf(key)],
      ['an empty body', refusal(/^\w+$/), addressOf(key), ''],
      ['an empty object', refusal(/^\w+$/), addressOf(key), '{}'],
    ]);
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('refuses media it does not read, and never takes it for an empty body', async () => {
    const types = [
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'application/json; charset=latin1',
      'application/json; charset=zq9',
      'application/jsonp',
      'zq9 marker',
      '/',
      ';',
    ];
    const attempts = routesWith('body').flatMap((key): Attempt[] => [
      ...types.map((type): Attempt => [
        type,
        code('UNSUPPORTED_MEDIA'),
        addressOf(key),
        bodyOf(key),
        { 'content-type': type },
      ]),
      ['no type', code('UNSUPPORTED_MEDIA'), addressOf(key), bodyOf(key), { 'content-type': '' }],
      [
        'an unknown encoding',
        code('UNSUPPORTED_MEDIA'),
        addressOf(key),
        bodyOf(key),
        { 'content-encoding': 'zq9' },
      ],
      [
        'gzip that is none',
        code('VALIDATION_FAILED'),
        addressOf(key),
        bodyOf(key),
        { 'content-encoding': 'gzip' },
      ],
    ]);
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('refuses bodies above the limit, also packed ones', async () => {
    const large = `{"a":"${'a'.repeat(70_000)}"}`;
    const bomb = gzipSync(Buffer.alloc(20_000_000, ' '));
    const attempts = every().flatMap((key): Attempt[] => [
      ['70 kB', code('PAYLOAD_TOO_LARGE'), addressOf(key), large],
      ['20 MB in 20 kB', code('PAYLOAD_TOO_LARGE'), addressOf(key), bomb, { 'content-encoding': 'gzip' }],
    ]);
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('names the field of a query that holds a wrong value, comes twice or is not known', async () => {
    const attempts = routesWith('query').flatMap((key): Attempt[] => {
      const fields = table[key]!.query!;
      const required = Object.entries(fields).filter(([, { optional }]) => !optional);
      const others = (name: string) =>
        queryOf(Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name)));
      const values = Object.entries(fields).flatMap(([name, field]) => {
        const at = new RegExp(`^${name}(\\.|$)`);
        const right = encodeURIComponent((field.valid ?? 'a') as string);
        return [
          ...hostileTexts(field).map(([what, value, encoded]): Attempt => {
            const judge = value !== undefined && isRight(field, value) ? anyAnswer : refusal(at);
            return [
              `${name} = ${what}`,
              judge,
              addressOf(key, { query: `${others(name)}&${name}=${encoded}` }),
            ];
          }),
          ...[`${name}=${right}&${name}=${right}`, `${name}=${right}&${name}=zq9`].map((twice): Attempt => [
            twice,
            refusal(at),
            addressOf(key, { query: `${others(name)}&${twice}` }),
          ]),
          ...[`${name}[]=1`, `${name}[a]=1`, `${name}[__proto__][isAdmin]=1`].map((part): Attempt => [
            part,
            refusal(new RegExp(`^(\\(unknown field\\)|${required.map(([needs]) => needs).join('|')})$`)),
            addressOf(key, { query: `${others(name)}&${part}` }),
          ]),
        ];
      });
      const unknown = [
        'surplus=1',
        'surplus',
        'a[__proto__]=1',
        '__proto__=1',
        '__proto__[isAdmin]=1',
        'constructor=1',
        'constructor[prototype][isAdmin]=1',
        'toString=1',
        'hasOwnProperty=1',
        `${encodeURIComponent(MARKER)}=1`,
        '%00=1',
        '=1',
        Array.from({ length: 300 }, (_, index) => `s${String(index)}=1`).join('&'),
      ];
      return [
        ...values,
        ...required.map(([name]): Attempt => [
          `no ${name}`,
          refusal(new RegExp(`^${name}$`)),
          addressOf(key, { query: others(name) }),
        ]),
        ...unknown.map((part): Attempt => [
          part,
          refusal(/^(surplus|s\d+|\(unknown field\)|\(query\))$/),
          addressOf(key, { query: `${queryOf(fields)}&${part}` }),
        ]),
      ];
    });
    expect(await problemsOf(attempts)).toEqual([]);
  }, 60_000);

  it('names the part of the path that is wrong', async () => {
    const attempts = routesWith('path').flatMap((key) =>
      Object.entries(table[key]!.path!).flatMap(([name, field]) =>
        [...hostileTexts(field), ...BROKEN_ESCAPES].map(([what, value, encoded]): Attempt => {
          const judge =
            encoded === '' || (value !== undefined && isRight(field, value))
              ? anyAnswer
              : refusal(new RegExp(`^(${name}|\\(path\\))$`));
          return [`${name} = ${what}`, judge, addressOf(key, { path: { [name]: encoded } }), bodyOf(key)];
        }),
      ),
    );
    expect(await problemsOf(attempts)).toEqual([]);
  }, 60_000);

  it('every route stands queries and bodies it does not read', async () => {
    const queries = [
      '__proto__=1',
      'a[__proto__]=1',
      'a[]=1',
      'x&x&x',
      '%',
      '%ff=%ff',
      '%00',
      MARKER.replace(' ', '%20'),
      '&'.repeat(5000),
      'constructor[prototype][isAdmin]=1',
    ];
    const bodies = [
      '{"__proto__":{"isAdmin":true}}',
      `{"surplus":${JSON.stringify(MARKER)}}`,
      '['.repeat(30_000),
      'zq9',
      `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ];
    const attempts = Object.keys(table)
      .filter((key) => !table[key]!.endsSession)
      .flatMap((key): Attempt[] => [
        ...queries.map((query): Attempt => [
          query.slice(0, 60),
          table[key]!.html ? anyPage : anyAnswer,
          addressOf(key, { query }),
        ]),
        ...bodies.map((body): Attempt => [
          body.slice(0, 60),
          table[key]!.html ? anyPage : anyAnswer,
          addressOf(key),
          body,
        ]),
      ]);
    expect(await problemsOf(attempts)).toEqual([]);
  }, 60_000);

  it('the one-time link stands forms of every kind', async () => {
    const type = 'application/x-www-form-urlencoded';
    const forms = [
      '',
      'token=zq9',
      'token=zq9&token=zq9',
      'token[]=zq9',
      '__proto__[token]=zq9',
      'token=%00',
      'token=%ff',
      'token=%',
      `token=${'a'.repeat(4000)}`,
      Array.from({ length: 900 }, (_, index) => `a${String(index)}=1`).join('&'),
    ];
    const attempts: Attempt[] = forms.map((form) => [
      form.slice(0, 40),
      anyPage,
      ['POST', '/setup'],
      form,
      { 'content-type': type },
    ]);
    attempts.push(
      [
        'too much',
        code('PAYLOAD_TOO_LARGE'),
        ['POST', '/setup'],
        `token=${'a'.repeat(5000)}`,
        { 'content-type': type },
      ],
      ['too many', anyAnswer, ['POST', '/setup'], 'a&'.repeat(2000), { 'content-type': type }],
    );
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('an Idempotency-Key is 1 to 64 printable characters, and one', async () => {
    const to = addressOf('POST /api/v1/rooms/:roomId/messages');
    const message = JSON.stringify({ content: 'once' });
    const refused: [string, string | string[]][] = [
      ['nothing', ''],
      ['a blank', ' '],
      ['two words', 'zq9 marker'],
      ['65 characters', 'k'.repeat(65)],
      ['8,000 characters', 'k'.repeat(8000)],
      ['latin 1', 'caf\u00e9'],
      ['a tab', 'a\tb'],
      ['two of them', ['a', 'b']],
    ];
    const attempts = refused.map(([what, key]): Attempt => [
      what,
      refusal(/^Idempotency-Key$/),
      to,
      message,
      { 'Idempotency-Key': key },
    ]);
    expect(await problemsOf(attempts)).toEqual([]);
    const key = { 'Idempotency-Key': '__proto__1' };
    const [first, again] = [await send(to, message, key), await send(to, message, key)].map(
      ({ text }) => JSON.parse(text) as { messageId: string; deduplicated: boolean },
    );
    expect(again).toEqual({ ...first, deduplicated: true });
    const other = await problemsOf([
      ['another request', code('IDEMPOTENCY_CONFLICT'), to, JSON.stringify({ content: 'twice' }), key],
      [
        'another clientMessageId',
        refusal(/^clientMessageId$/),
        to,
        JSON.stringify({ content: 'once', clientMessageId: 'zq9' }),
        key,
      ],
    ]);
    expect(other).toEqual([]);
    const racing = await Promise.all(
      Array.from({ length: 40 }, () => send(to, message, { 'Idempotency-Key': 'constructor1' })),
    );
    const ids = racing.map(({ text }) => (JSON.parse(text) as { messageId: string }).messageId);
    expect(new Set(ids).size).toBe(1);
  });

  it('unknown routes and methods are NOT_FOUND, as a problem', async () => {
    const paths = [
      '/api/v1',
      '/api/v1/',
      '/api/v1/zq9',
      '/api/v2/rooms',
      '/api',
      '/zq9%20marker',
      '/api/v1//rooms',
      '/api/v1/rooms/hall/zq9',
      '/..%2f..%2fetc%2fpasswd',
      '/../../etc/passwd',
      '/.env',
      '/.git/config',
      '/docs/zq9',
      '/health/zq9',
      '/setup/zq9',
      '/__proto__',
      '/constructor',
      `/${'a'.repeat(10_000)}`,
      '/api/v1/rooms/hall/messages/%2e%2e',
      '/<script>zq9</script>',
      '/%00',
      '/api/v1/%00',
      '/docs/%00',
    ];
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    const attempts = paths.flatMap((path) =>
      methods.map((method): Attempt => [
        '',
        code('NOT_FOUND'),
        [method, path.replaceAll('<', '%3C').replaceAll('>', '%3E')],
        method === 'GET' ? undefined : '{}',
      ]),
    );
    const wrongMethods = ['PROPFIND', 'TRACE', 'LOCK', 'SEARCH', 'PURGE'].flatMap((method) =>
      every().map((key): Attempt => ['', code('NOT_FOUND'), [method, addressOf(key)[1]]]),
    );
    expect(await problemsOf([...attempts, ...wrongMethods])).toEqual([]);
  });

  it('broken escapes are refused wherever they stand', async () => {
    const paths = [
      '',
      '/api/v1/',
      '/docs/',
      '/health/',
      '/setup/',
      '/api/v1/rooms/hall/',
      '/api/v1/users/',
    ].flatMap((start) => BROKEN_ESCAPES.map(([, , escape]) => `${start}/${escape}`));
    expect(await problemsOf(paths.map((path): Attempt => ['', refused, ['GET', path]]))).toEqual([]);
  });

  it('addresses and headers too long for HTTP are refused by HTTP, and the server lives', async () => {
    const answers = await Promise.all(
      [
        send(['GET', `/api/v1/rooms?cursor=${'a'.repeat(15_000)}`]),
        send(['GET', `/api/v1/rooms?cursor=${'a'.repeat(70_000)}`]),
        send(['GET', '/api/v1/rooms'], undefined, { 'x-long': 'a'.repeat(70_000) }),
        send(
          ['GET', '/api/v1/rooms'],
          undefined,
          Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-${String(index)}`, '1'])),
        ),
      ].map((answer) => answer.catch(() => ({ status: 431 }))),
    );
    // Node keeps 1,000 headers; Host comes after them, and a request without it is none.
    expect(answers.map(({ status }) => status)).toEqual([400, 431, 431, 400]);
  });

  it('identities of every kind are UNAUTHENTICATED', async () => {
    const tokens = [
      '',
      'Bearer',
      'Bearer ',
      'Bearer zq9',
      'Bearer a.b.c',
      'Bearer eyJhbGciOiJub25lIn0.e30.',
      `Bearer ${'a'.repeat(8000)}`,
      'Basic enE5OnpxOQ==',
      'bearer __proto__',
      'Bearer \u00ff',
      'Bearer .',
    ];
    const attempts = tokens.flatMap((token) =>
      ['GET /api/v1/users/me', 'POST /api/v1/rooms/:roomId/messages'].map((key): Attempt => [
        token.slice(0, 40),
        code('UNAUTHENTICATED'),
        addressOf(key),
        bodyOf(key),
        { authorization: token },
      ]),
    );
    expect(await problemsOf(attempts)).toEqual([]);
  });

  it('ending sessions reads nothing that is sent', async () => {
    const attempts = await Promise.all(
      Object.keys(table)
        .filter((key) => table[key]!.endsSession)
        .map(async (key, index): Promise<Attempt> => {
          const { accessToken } = await server.register(`leaver-${String(index)}`);
          return [
            'a marker',
            anyAnswer,
            addressOf(key, { query: 'a[__proto__]=1' }),
            `{"a":${JSON.stringify(MARKER)}}`,
            { authorization: `Bearer ${accessToken}` },
          ];
        }),
    );
    expect(await problemsOf(attempts)).toEqual([]);
  });
});

const queryOf = (fields: Fields): string =>
  Object.entries(fields)
    .flatMap(([name, { valid }]) =>
      valid === undefined ? [] : [`${name}=${encodeURIComponent(valid as string)}`],
    )
    .join('&');

type Text = [what: string, value: string | undefined, encoded: string];

/** The hostile values that an address can carry. */
function hostileTexts(field: Field): Text[] {
  const texts = valuesFor(field).flatMap(([what, json]): Text[] => {
    const value: unknown = JSON.parse(json);
    const asText = typeof value === 'string' ? value : json.length < 100 ? json : undefined;
    return asText?.isWellFormed() && asText.length < 8000 ? [[what, asText, encodeURIComponent(asText)]] : [];
  });
  return [
    ...texts,
    ['9,000 characters', 'a'.repeat(9000), 'a'.repeat(9000)],
    ['a number with a plus', '+1', '%2B1'],
    ['a number in hex', '0x10 ', '0x10%20'],
    ['1e2', '1e2 ', '1e2%20'],
  ];
}

/** `decodeURIComponent` throws at all of them. */
const BROKEN_ESCAPES: Text[] = [
  '%',
  '%f',
  '%ff',
  '%zz',
  '%c0%80',
  '%ed%a0%80',
  '%u0041',
  'a%',
  '%F4%90%80%80',
].map((escape) => [escape, undefined, escape]);

function problem({ status, type, text }: Answer): { code: ErrorCode; details?: { path: string }[] } | string {
  if (!type.startsWith('application/problem+json')) return `${String(status)} ${type} ${text.slice(0, 200)}`;
  const parsed = JSON.parse(text) as {
    code: ErrorCode;
    status: number;
    detail: string;
    title: string;
    retryable: boolean;
    requestId: string;
    details?: { path: string }[];
  };
  const { status: expected, retryable } = ERRORS[parsed.code];
  const whole =
    parsed.status === status &&
    expected === status &&
    parsed.retryable === retryable &&
    parsed.detail &&
    parsed.title &&
    parsed.requestId;
  if (!whole || status >= 500) return `${String(status)} ${text.slice(0, 300)}`;
  return text.includes('zq9') ? `echoes: ${text.slice(0, 300)}` : parsed;
}

/** Not a failure of the server; a refusal is a problem. Served content may hold what was stored. */
function anyAnswer(answer: Answer): string | undefined {
  if (answer.status >= 200 && answer.status < 400) return undefined;
  const found = problem(answer);
  return typeof found === 'string' ? found : undefined;
}

const anyPage = ({ status, text }: Answer) =>
  status >= 200 && status < 500 && !text.includes('zq9')
    ? undefined
    : `${String(status)} ${text.slice(0, 200)}`;

function refused(answer: Answer): string | undefined {
  const found = problem(answer);
  if (typeof found === 'string') return found;
  return ['VALIDATION_FAILED', 'NOT_FOUND'].includes(found.code) ? undefined : answer.text;
}

function code(expected: ErrorCode) {
  return (answer: Answer): string | undefined => {
    const found = problem(answer);
    if (typeof found === 'string') return found;
    return found.code === expected ? undefined : answer.text.slice(0, 300);
  };
}

/** VALIDATION_FAILED, with every detail about this path. */
function refusal(path: RegExp) {
  return (answer: Answer): string | undefined => {
    const found = problem(answer);
    if (typeof found === 'string') return found;
    const { details = [] } = found;
    const about = details.length > 0 && details.every((detail) => path.test(detail.path));
    return found.code === 'VALIDATION_FAILED' && about ? undefined : answer.text.slice(0, 300);
  };
}
