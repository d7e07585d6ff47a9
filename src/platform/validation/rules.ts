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

/** Text of any number of lines, or none: no control characters but the line break, nothing that turns its direction. */
export const IsText = (max: number) =>
  applyDecorators(
    MaxLength(max),
    Matches(/^(?:\n|[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069])*$/u, {
      message: 'must be text without control characters',
    }),
  );

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

/** For query strings, where a number comes as digits. Anything else is left for the next rule to refuse. */
export const NumberFromQuery = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
