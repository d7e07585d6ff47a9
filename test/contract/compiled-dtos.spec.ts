import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, validateSync } from 'class-validator';
import fc from 'fast-check';
import { SendMessageDto } from '../../src/messages/dto/messages.dto.js';
import { compileHandlers } from '../../src/platform/realtime/compile-handlers.js';
import { CompiledDto } from '../../src/platform/validation/compiled-dto.js';
import { checkPayload } from '../../src/platform/validation/payload-check.js';
import { TestServer } from '../harness/server.js';

const POOL: unknown[] = [
  'general',
  'text',
  'x-poll',
  'online',
  'private',
  'public',
  'member',
  'moderator',
  'admin',
  'user',
  'all',
  'none',
  '👍',
  '2030-01-31T12:00:00Z',
  '01a1fdcc-3f40-779d-9a74-cbc828ae1fb8',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl',
  '',
  ' two words ',
  'x'.repeat(65),
  'x'.repeat(501),
  0,
  1,
  100,
  true,
  false,
  null,
  undefined,
  [],
  ['ann'],
  ['ann', 'ben'],
  ['ann', 'ann'],
  ['01a1fdcc-3f40-779d-9a74-cbc828ae1fb8'],
  { some: [1, { more: null }] },
];

/** What some field of some command takes, and what none does. */
const ANYTHING: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...POOL),
  fc.integer({ min: -1, max: 120 }),
  fc.double(),
  fc.string(),
  fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 }),
  fc.object({ maxDepth: 2 }),
);

/** Mostly what the field takes, or few payloads would pass as a whole. */
function valuesOf(dto: Type<object>, name: string): fc.Arbitrary<unknown> {
  const taken = POOL.filter((value) =>
    validateSync(plainToInstance(dto, { [name]: value })).every(({ property }) => property !== name),
  );
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...taken) }, { weight: 1, arbitrary: ANYTHING });
}

const fieldsOf = (dto: Type) => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(dto, '', false, false)
      .map(({ propertyName }) => propertyName),
  ),
];

/** Its fields, and at times one that it does not have. */
function payloadsOf(dto: Type<object>): fc.Arbitrary<object> {
  const fields = Object.fromEntries(fieldsOf(dto).map((name) => [name, valuesOf(dto, name)]));
  const surplus = fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, fc.record({ surplus: ANYTHING }));
  const withoutSome = fc.oneof(
    { weight: 9, arbitrary: fc.record(fields) },
    fc.record(fields, { requiredKeys: [] }),
  );
  return fc
    .tuple(withoutSome, surplus)
    .map(([known, unknown]) => ({ ...known, ...unknown }))
    .filter(reachesDtos);
}

/** Keys such as `valueOf` are refused before anybody makes a DTO. */
function reachesDtos(payload: object): boolean {
  try {
    checkPayload(payload);
    return true;
  } catch {
    return false;
  }
}

async function wholeWay(dto: Type<object>, payload: object): Promise<object | undefined> {
  const made = plainToInstance(dto, structuredClone(payload));
  const options = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };
  return (await validate(made, options)).length === 0 ? made : undefined;
}

/** How many payloads were accepted; fails where the two do not agree. */
async function compare(dto: Type<object>, numRuns: number): Promise<number> {
  const compiled = CompiledDto.of(dto);
  if (!compiled) throw new Error(`${dto.name} is not compiled`);
  let accepted = 0;
  const agree = async (payload: object) => {
    const expected = await wholeWay(dto, payload);
    const made = compiled.accept(payload);
    expect(made).toStrictEqual(expected);
    expect(made?.constructor).toBe(expected?.constructor);
    if (made) accepted += 1;
  };
  await fc.assert(fc.asyncProperty(payloadsOf(dto), agree), { numRuns });
  return accepted;
}

describe('compiled DTOs', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  it('accept of 10,000 payloads of message:send what class-validator accepts, with the same result', async () => {
    expect(await compare(SendMessageDto, 10_000)).toBeGreaterThan(1000);
  });

  it('are those of all commands but the one with an object in it, and agree with class-validator', async () => {
    const handlers = [...compileHandlers(server.app).values()].flatMap((map) => [...map.values()]);
    const dtos = new Set(handlers.map(({ passes: { dto } }) => dto as Type<object>));
    const accepted: Record<string, number> = {};
    const left = [...dtos].filter((dto) => !CompiledDto.of(dto));
    expect(left.map(({ name }) => name)).toEqual(['SetPreferenceDto']);
    for (const dto of dtos)
      if (fieldsOf(dto).length > 0 && !left.includes(dto)) accepted[dto.name] = await compare(dto, 300);
    expect(Object.entries(accepted).filter(([, count]) => count === 0)).toEqual([]);
  });
});
