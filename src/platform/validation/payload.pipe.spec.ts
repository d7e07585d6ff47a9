import type { ArgumentMetadata } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, IsString, Length, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { PayloadPipe } from './payload.pipe.js';

class PartDto {
  @IsInt()
  size!: number;
}
class SampleDto {
  @IsString()
  @Length(1, 5)
  name!: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @IsString({ each: true })
  tags?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => PartDto)
  part?: PartDto;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PartDto)
  parts?: PartDto[];

  @IsOptional()
  data?: unknown;
}
class EmptyDto {}

const pipe = new PayloadPipe();
/** It answers at once where it can, by throwing too. */
const transform = async (input: unknown, metadata: ArgumentMetadata) => pipe.transform(input, metadata);
const of = (
  metatype: ArgumentMetadata['metatype'],
  type: ArgumentMetadata['type'] = 'body',
  data?: string,
) => ({ type, metatype, data });
const refusal = async (input: unknown, metadata: ArgumentMetadata = of(SampleDto)) => {
  const error: unknown = await transform(input, metadata).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: 'VALIDATION_FAILED', message: 'The input is not valid' });
  return (error as AppError).details ?? [];
};

describe('PayloadPipe', () => {
  it('makes the DTO', async () => {
    const dto = await transform(
      { name: 'ann', parts: [{ size: 1 }], data: { free: [1, { form: true }] } },
      of(SampleDto),
    );
    expect(dto).toBeInstanceOf(SampleDto);
    expect((dto as SampleDto).parts?.[0]).toBeInstanceOf(PartDto);
    expect((dto as SampleDto).data).toEqual({ free: [1, { form: true }] });
  });

  it('tells every problem with a dotted path, and no value', async () => {
    const marker = 'VALUE-OF-THE-INPUT';
    const details = await refusal({
      name: marker,
      tags: [1, marker],
      part: { size: marker },
      parts: [{ size: 1 }, { size: marker, more: marker }],
    });
    expect(details).toEqual(
      expect.arrayContaining([
        { path: 'name', problem: 'must be shorter than or equal to 5 characters' },
        { path: 'part.size', problem: 'must be an integer number' },
        { path: 'parts.1.size', problem: 'must be an integer number' },
        { path: 'parts.1.more', problem: 'is not a known field' },
      ]),
    );
    expect(JSON.stringify(details)).not.toContain(marker);
  });

  it('refuses unknown fields, without echoing odd names', async () => {
    expect(await refusal({ name: 'ann', role: 'admin' })).toEqual([
      { path: 'role', problem: 'is not a known field' },
    ]);
    expect(await refusal({ name: 'ann', '<b>hi</b>': 1 })).toEqual([
      { path: '(unknown field)', problem: 'is not a known field' },
    ]);
    expect(await refusal({ name: 'ann', ['k'.repeat(300)]: 1 })).toEqual([
      { path: 'k'.repeat(64), problem: 'is not a known field' },
    ]);
  });

  // class-validator looks properties up in a plain object, so inherited names passed its whitelist.
  it.each(['hasOwnProperty', 'toString', '__proto__'])('refuses the inherited name %s', async (key) => {
    await refusal(JSON.parse(`{"name":"ann","${key}":1}`));
  });

  it('answers thousands of unknown fields with a few', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${String(index)}`, 1]));
    expect(await refusal(many)).toHaveLength(20);
  });

  it.each([[null], ['text'], [7], [true], [[]], [[{ name: 'ann' }]]])(
    'wants an object, not %j',
    async (input) => {
      expect(await refusal(input)).toEqual([{ path: '(payload)', problem: 'must be an object' }]);
    },
  );

  it('takes no payload for an empty one', async () => {
    expect(await refusal(undefined)).toContainEqual({ path: 'name', problem: 'must be a string' });
    expect(await transform(undefined, of(EmptyDto))).toBeInstanceOf(EmptyDto);
    expect(await refusal({ surplus: 1 }, of(EmptyDto))).toEqual([
      { path: 'surplus', problem: 'is not a known field' },
    ]);
  });

  it('leaves what is no DTO as it is, but checks its text', async () => {
    const actor = { userId: 'u' };
    expect(await transform(actor, of(Object, 'custom'))).toBe(actor);
    expect(await transform('general', of(String, 'param', 'roomId'))).toBe('general');
    expect(await refusal('a\0', of(String, 'param', 'roomId'))).toEqual([
      { path: 'roomId', problem: 'must not contain NUL' },
    ]);
  });

  it('throws nothing but AppError, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({ withNullPrototype: true, withMap: true, withDate: true }),
        async (input) => {
          await transform(input, of(SampleDto)).catch((error: unknown) => {
            expect(error).toBeInstanceOf(AppError);
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('does not hang on 100,000 levels', async () => {
    const deep: unknown = JSON.parse(`{"name":"ann","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    expect((await refusal(deep))[0]?.problem).toMatch(/deeper/);
  });
});
