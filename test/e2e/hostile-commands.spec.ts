import fc from 'fast-check';
import { ERRORS, type WireError } from '../../src/contract/errors.js';
import { NAMESPACES, type NamespaceName } from '../../src/contract/namespaces.js';
import type { Actor } from '../harness/actor.js';
import { HOSTILE, MARKER, faultsIn, isRight, payloadOf, valuesFor, type Field } from '../harness/hostile.js';
import { RawClient, type Packet, type RawAnswer } from '../harness/raw-client.js';
import { TestServer } from '../harness/server.js';
import { makeWorld, type World } from './hostile-world.js';
import { adminPayloads } from './payloads/admin.js';
import { chatPayloads } from './payloads/chat.js';
import { notificationPayloads } from './payloads/notifications.js';
import { presencePayloads } from './payloads/presence.js';
import type { PayloadsOf } from './payloads/payloads.js';

/** Fewer than may wait in a socket's queue. */
const BATCH = 200;

/** What is sent to each namespace, and a harmless command by which it shows that it still answers. */
const TABLES: {
  [N in NamespaceName]: {
    payloadsFor: (world: World) => PayloadsOf<N>;
    probe: keyof PayloadsOf<N>;
    payload: string;
  };
} = {
  '/chat': { payloadsFor: chatPayloads, probe: 'room:positions', payload: '{"roomIds":["hall"]}' },
  '/presence': { payloadsFor: presencePayloads, probe: 'presence:activity', payload: '{}' },
  '/notifications': { payloadsFor: notificationPayloads, probe: 'preference:get', payload: '{}' },
  '/admin': { payloadsFor: adminPayloads, probe: 'connection:list', payload: '{}' },
};
const namespaces = Object.keys(NAMESPACES) as NamespaceName[];

/** Batches of generated payloads: as many for each command. */
const RUNS = { '/chat': 52, '/presence': 12, '/notifications': 16, '/admin': 24 };

describe.each(namespaces)('hostile commands to %s', (namespace) => {
  const { payloadsFor, probe, payload: probing } = TABLES[namespace];
  let server: TestServer;
  let bob: Actor;
  /** A second device of Alice, on `/admin` of the administrator, without a library. */
  let raw: RawClient;
  let payloads: Record<string, Record<string, Field>>;

  beforeAll(async () => {
    server = await TestServer.start();
    const world = await makeWorld(server);
    bob = world.bob;
    payloads = payloadsFor(world);
    const { session } = namespace === '/admin' ? world.root : world.alice;
    raw = await RawClient.in(server.url, namespace, session.accessToken);
  });
  afterAll(async () => {
    raw.close();
    await server.stop();
  });

  /** The socket answers, each id once, and was sent nothing but events of its namespace; the neighbour was told nothing wrong and answers; the log is clean. */
  afterEach(async () => {
    expect(raw.closeCode).toBeUndefined();
    expect(await raw.command(probe, probing)).toMatchObject({ status: 'ok' });
    const ids = raw.of('ack').map(({ id }) => id);
    expect(ids).toHaveLength(new Set(ids).size);
    const names = raw.of('event').map(({ namespace: from, data }) => [from, (data as [string])[0]]);
    expect(names.filter(([from, name]) => from !== namespace || !events.has(name!))).toEqual([]);
    expect(raw.others.filter((text) => !text.startsWith('0{'))).toEqual([]);
    await bob.does('room:positions', { roomIds: ['hall'] });
    for (const wrong of ['error', 'disconnect', 'session:closing', 'connect_error'])
      expect(bob.inbox.all(wrong)).toEqual([]);
    expect(faultsIn(server.log)).toEqual([]);
    raw.packets.length = 0;
  });

  const events = new Set<string>(NAMESPACES[namespace].events);
  const commands = NAMESPACES[namespace].commands.map((command) => [command] as const);

  it('has a row for every command', () => {
    expect(Object.keys(payloads).sort()).toEqual([...NAMESPACES[namespace].commands].sort());
  });

  it.each(commands)('%s takes its valid example', async (command) => {
    expect(await raw.command(command, payloadOf(payloads[command]!))).toMatchObject({ status: 'ok' });
  });

  describe.each(commands)('%s', (command) => {
    /** The answers to payloads in JSON text, by name; pipelined. */
    async function answersTo(
      args: [name: string, ...args: string[]][],
    ): Promise<[string, Packet, RawAnswer][]> {
      const named: [string, Packet, RawAnswer][] = [];
      for (let from = 0; from < args.length; from += BATCH) {
        const batch = args.slice(from, from + BATCH);
        const packets = await raw.answers(batch.map(([, ...texts]) => raw.emit(command, ...texts)));
        for (const [index, packet] of packets.entries())
          named.push([batch[index]![0], packet, (packet.data as [RawAnswer])[0]]);
      }
      return named;
    }

    const fieldsOf = () => Object.entries(payloads[command]!);

    it('names the field that holds a wrong value', async () => {
      for (const [name, field] of fieldsOf()) {
        const values = valuesFor(field);
        const answers = await answersTo(
          values.map(([what, json]) => [what, payloadOf(payloads[command]!, name, json)]),
        );
        const wrong = answers.flatMap(([what, packet, answer], index) => {
          const problem = isRight(field, JSON.parse(values[index]![1]))
            ? problemOfAnswer(packet, answer)
            : problemOfRefusal(packet, answer, new RegExp(`^${name}(\\.|$)`));
          return problem ? [`${name} = ${what}: ${problem}`] : [];
        });
        expect(wrong).toEqual([]);
      }
    });

    it('names the field that is missing', async () => {
      for (const [name, { optional }] of fieldsOf()) {
        const [[, packet, answer]] = (await answersTo([
          ['missing', payloadOf(payloads[command]!, name)],
        ])) as [[string, Packet, RawAnswer]];
        const problem = optional
          ? problemOfAnswer(packet, answer)
          : problemOfRefusal(packet, answer, new RegExp(`^${name}$`));
        expect([name, problem]).toEqual([name, undefined]);
      }
    });

    it('refuses fields it does not know', async () => {
      const whole =
        payloadOf(payloads[command]!).slice(0, -1) +
        (fieldsOf().some(([, { valid }]) => valid !== undefined) ? ',' : '');
      const text = JSON.stringify(MARKER);
      const extra = {
        surplus: `"surplus":${text}`,
        userRole: '"userRole":"admin"',
        'a name that is not one': `${text}:1`,
        'an empty name': '"":1',
        'no value': '"surplus":null',
        '200 of them': Array.from({ length: 200 }, (_, index) => `"surplus${String(index)}":${text}`).join(
          ',',
        ),
        __proto__: `"__proto__":{"actor":${text}}`,
        '__proto__ null': '"__proto__":null',
        constructor: `"constructor":${text}`,
        prototype: '"prototype":{}',
        hasOwnProperty: '"hasOwnProperty":1',
        then: '"then":1',
        toJSON: '"toJSON":1',
        'a lone surrogate': '"\\ud800":1',
        NUL: '"\\u0000":1',
      };
      const answers = await answersTo(
        Object.entries(extra).map(([what, json]) => [what, `${whole}${json}}`]),
      );
      const path = /^(surplus\d*|userRole|then|toJSON|\(unknown field\)|\(payload\))$/;
      expect(answers.flatMap(([, packet, answer]) => problemOfRefusal(packet, answer, path) ?? [])).toEqual(
        [],
      );
      for (const [what, { text: frame }] of answers)
        if (what === '200 of them') expect(frame.length).toBeLessThan(5000);
    });

    it('refuses what is not one object', async () => {
      const valid = payloadOf(payloads[command]!);
      const text = JSON.stringify(MARKER);
      const lone = {
        null: 'null',
        true: 'true',
        number: '1',
        text,
        'empty list': '[]',
        list: `[${valid}]`,
        nested: '['.repeat(10_000) + ']'.repeat(10_000),
      };
      const several: [string, ...string[]][] = [
        ['two payloads', valid, valid],
        ['an ack that is not last', 'null', valid],
        ['a third argument', valid, 'null', text],
        ['many arguments', ...Array.from({ length: 1000 }, () => text)],
      ];
      const answers = await answersTo([...Object.entries(lone), ...several]);
      const path = /^\((payload|arguments)\)$/;
      expect(
        answers
          .flatMap(([what, packet, answer]) => [[what, problemOfRefusal(packet, answer, path)]])
          .filter(([, problem]) => problem),
      ).toEqual([]);
    });

    it('refuses binary, wherever it hangs', async () => {
      const blob = '{"_placeholder":true,"num":0}';
      for (const [name, json] of [
        ['(payload)', blob],
        ...fieldsOf().map(([name]) => [name, payloadOf(payloads[command]!, name, blob)]),
      ] as [string, string][]) {
        const id = 900_000_000 + raw.of('ack').length;
        raw.write(`451-${namespace},${String(id)}["${command}",${json}]`);
        raw.write(Buffer.from(MARKER));
        const [packet] = await raw.answers([id]);
        const problem = problemOfRefusal(
          packet!,
          (packet!.data as [RawAnswer])[0],
          new RegExp(`^${name.replace(/[()]/g, '\\$&')}$`),
        );
        expect([name, problem]).toEqual([name, undefined]);
      }
    });

    it('tells a refusal as an event when no ack was asked for', async () => {
      raw.write(`42${namespace},["${command}",{"surplus":${JSON.stringify(MARKER)}}]`);
      raw.write(`42${namespace},["${command}",null,{"a":1}]`);
      raw.write(`42${namespace},["${command}",null]`);
      await raw.until(() => raw.events('error').length >= 3, 'three errors');
      await raw.command(probe, probing);
      const errors = raw.events<WireError & { event: string }>('error');
      expect(errors.map(({ event, code }) => [event, code])).toEqual(
        Array.from({ length: 3 }, () => [command, 'VALIDATION_FAILED']),
      );
      for (const { data, text } of raw.of('event'))
        if ((data as [string])[0] === 'error') expect(text).not.toContain('zq9');
    });
  });

  describe('events that are no commands', () => {
    const UNKNOWN: Record<string, string> = {
      'an unknown name': '"zq9 marker"',
      'an empty name': '""',
      error: '"error"',
      __proto__: '"__proto__"',
      constructor: '"constructor"',
      toString: '"toString"',
      'a number': '5',
      'a broken number': '1.5e300',
      'an event of the server': '"message:new"',
      'a close of the server': '"session:closing"',
      'a command with a blank': '"message:send "',
      'a command in capitals': '"MESSAGE:SEND"',
      'a lone surrogate': '"\\ud800"',
      NUL: '"\\u0000"',
      'a very long name': JSON.stringify(MARKER.repeat(5000)),
      'a room of the server': '"room:hall"',
    };

    it.each(Object.entries(UNKNOWN))('%s is answered with UNKNOWN_EVENT', async (_what, name) => {
      raw.write(`42${namespace},770["message:nothing"]`);
      raw.write(`42${namespace},771[${name},{"a":${JSON.stringify(MARKER)}}]`);
      raw.write(`42${namespace},772[${name}]`);
      raw.write(`42${namespace},[${name}]`);
      const answers = await raw.answers([770, 771, 772]);
      await raw.until(() => raw.events('error').length > 0, 'an error');
      for (const { data, text } of answers) {
        expect(data).toMatchObject([{ status: 'error', error: { code: 'UNKNOWN_EVENT', retryable: false } }]);
        expect(text).not.toContain('zq9');
      }
      expect(raw.events('error')).toMatchObject([{ code: 'UNKNOWN_EVENT', event: 'unknown' }]);
    });
  });

  /** Fields of the valid example, one or more of them replaced by whatever JSON can hold; or no such thing at all. */
  it('answers thousands of generated payloads once each', async () => {
    const anything = fc.oneof(
      { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(...Object.values(HOSTILE).filter((json) => json.length < 500)).map(raw_),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
      { weight: 1, arbitrary: fc.double() },
      { weight: 1, arbitrary: fc.integer() },
      { weight: 1, arbitrary: fc.uuid() },
      { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/) },
    );
    const keys = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'toString', 'roomId', 'then', '_placeholder'),
    );
    const indexes = (length: number) => Array.from({ length }, (_, index) => index);
    const keptOf = (length: number) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(indexes(length)) },
        { weight: 1, arbitrary: fc.subarray(indexes(length)) },
      );
    const payloadFor = (command: string) => {
      const fields = Object.entries(payloads[command]!).map(([name, { valid }]) => {
        const example =
          valid === undefined
            ? anything
            : fc.oneof({ weight: 9, arbitrary: fc.constant(valid) }, { weight: 2, arbitrary: anything });
        return fc.tuple(fc.constant(name), example);
      });
      const mutated = fc
        .tuple(keptOf(fields.length), fc.tuple(...fields), fc.option(fc.tuple(keys, anything), { freq: 5 }))
        .map(([kept, all, extra]) =>
          objectText([...all.filter((_, index) => kept.includes(index)), ...(extra ? [extra] : [])]),
        );
      return fc.oneof({ weight: 6, arbitrary: mutated }, { weight: 1, arbitrary: anything.map(textOf) });
    };
    const command = fc
      .constantFrom(...NAMESPACES[namespace].commands)
      .chain((name) => fc.tuple(fc.constant(name), payloadFor(name)));
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: BATCH, maxLength: BATCH, size: 'max' }),
        async (batch) => {
          const ids = batch.map(([name, payload]) => raw.emit(name, payload));
          const packets = await raw.answers(ids);
          for (const packet of packets) {
            const [answer] = packet.data as [RawAnswer];
            const problem = problemOfAnswer(packet, answer, { echoes: true });
            if (problem) throw new Error(problem);
            const outcome = answer.status === 'ok' ? 'ok' : answer.error.code;
            seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
          }
          const acks = raw.of('ack').filter(({ id }) => ids.includes(id ?? -1));
          if (acks.length !== ids.length)
            throw new Error(`${String(acks.length)} answers to ${String(ids.length)} commands`);
          raw.packets.length = 0;
          const faults = faultsIn(server.log);
          if (faults.length > 0) throw new Error(faults.join(''));
        },
      ),
      { numRuns: RUNS[namespace], interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
    );
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
      RUNS[namespace] * BATCH,
    );
    // The generator reaches past validation, too.
    expect(seen.get('ok')).toBeGreaterThan(RUNS[namespace] * 6);
  }, 60_000);
});

/** JSON text among generated values. */
class Raw {
  constructor(readonly json: string) {}
}
const raw_ = (json: string) => new Raw(json);
const textOf = (value: unknown): string => (value instanceof Raw ? value.json : JSON.stringify(value));
const objectText = (entries: [string, unknown][]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(',')}}`;

/** Whatever it is, it is one of ours. */
function problemOfAnswer({ text }: Packet, answer: RawAnswer, { echoes = false } = {}): string | undefined {
  if (answer.status === 'ok') return undefined;
  const { code, message, retryable, requestId } = answer.error;
  if (!(code in ERRORS) || code === 'INTERNAL') return text;
  if (typeof message !== 'string' || typeof retryable !== 'boolean' || !requestId)
    return `malformed: ${text}`;
  return !echoes && text.includes('zq9') ? `echoes: ${text.slice(0, 300)}` : undefined;
}

/** VALIDATION_FAILED, every detail about this path, nothing of the input in it. */
function problemOfRefusal(packet: Packet, answer: RawAnswer, path: RegExp): string | undefined {
  if (answer.status === 'ok') return 'was accepted';
  const { code, details = [] } = answer.error;
  if (code !== 'VALIDATION_FAILED') return packet.text.slice(0, 300);
  if (details.length === 0 || !details.every((detail) => path.test(detail.path) && detail.problem !== ''))
    return `details: ${JSON.stringify(details).slice(0, 300)}`;
  return problemOfAnswer(packet, answer);
}
