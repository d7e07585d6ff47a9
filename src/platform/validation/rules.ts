import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { CONTRACT_LIMITS } from '../../contract/limits.js';

/** May be absent. Unlike `IsOptional` of class-validator it does not let `null` pass. */
export const Optional = () => ValidateIf((_, value) => value !== undefined);

export const IsRoomId = (options?: { each: boolean }) =>
  Matches(/^[A-Za-z0-9_-]{1,64}$/, {
    ...options,
    message: `must be 1 to ${String(CONTRACT_LIMITS.roomIdLength)} characters of A-Z a-z 0-9 _ -`,
  });

export const IsUserId = (options?: { each: boolean }) =>
  applyDecorators(IsString(options), Length(1, CONTRACT_LIMITS.userIdLength, options));

/** The id of a message as the server gives it: a UUID in lower case. */
export const IsMessageId = () =>
  Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, {
    message: 'must be the id of a message, a UUID in lower case',
  });

/** A position in a room: what Postgres keeps as `integer`. */
export const IsPosition = () => applyDecorators(IsInt(), Min(0), Max(2_147_483_647));

const TEXT = /^(?:\n|[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069])*$/u;

/** Text of any number of lines, or none: no control characters but the line break, nothing that turns its direction. */
export const IsText = (max: number) =>
  applyDecorators(
    MaxLength(max),
    Matches(TEXT, {
      message: 'must be text without control characters',
    }),
  );

/** A moment as the contract writes it: ISO 8601 in UTC, to the second or the millisecond, of a day there is. */
export const IsTime = () =>
  ValidateBy({
    name: 'isTime',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' &&
        /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(value) &&
        !Number.isNaN(Date.parse(value)) &&
        new Date(value).toISOString().startsWith(value.slice(0, 19)),
      defaultMessage: () => 'must be a time in UTC such as 2030-01-31T12:00:00Z',
    },
  });

/** Text that says something: trimmed, then 1 to `max` characters, of any number of lines. */
export const IsFilledText = (max: number) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    ValidateBy({
      name: 'isFilledText',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' && value !== '' && value.length <= max && TEXT.test(value),
        defaultMessage: () => `must be text of 1 to ${String(max)} characters, without control characters`,
      },
    }),
  );

/** Why somebody acts, reports or deletes. */
export const IsReason = () => IsFilledText(CONTRACT_LIMITS.reasonLength);

/** Any JSON value up to a size, in bytes of UTF-8. */
export const IsJsonWithin = (bytes: number) =>
  ValidateBy({
    name: 'isJsonWithin',
    validator: {
      validate: (value: unknown) => value !== undefined && Buffer.byteLength(JSON.stringify(value)) <= bytes,
      defaultMessage: () => `must be at most ${String(bytes)} bytes as JSON`,
    },
  });

/** No item of a list twice. `ArrayUnique` compares every pair: a frame full of numbers costs it a tenth of a second. */
export const IsDistinct = () =>
  ValidateBy({
    name: 'isDistinct',
    validator: {
      validate: (value: unknown) => Array.isArray(value) && new Set(value).size === value.length,
      defaultMessage: () => 'must not name anything twice',
    },
  });

/** For query strings, where a truth comes as a word. Anything else is left for the next rule to refuse. */
export const BooleanFromQuery = () =>
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));

/** For query strings, where a number comes as digits. Anything else is left for the next rule to refuse. */
export const NumberFromQuery = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
