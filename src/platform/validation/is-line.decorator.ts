import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/**
 * No control characters (Postgres refuses NUL), no lone surrogates (they are not text), no bidirectional
 * overrides (they make one name look like another). Joiners stay: emoji and Persian need them.
 */
const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u;

/** True for one line of text of 1 to `max` code points. */
export function isLine(value: unknown, max: number): value is string {
  return typeof value === 'string' && LINE.test(value) && [...value].length <= max;
}

/** A line of text a person gave: trimmed, then 1 to `max` code points without invisible trickery. */
export function IsLine(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    ValidateBy({
      name: 'isLine',
      validator: {
        validate: (value: unknown) => isLine(value, max),
        defaultMessage: () => `must be one line of 1 to ${String(max)} characters`,
      },
    }),
  );
}
