import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError, type ValidatorOptions } from 'class-validator';
import type { ErrorDetail } from '../../contract/errors.js';
import { AppError } from '../errors/app-error.js';
import { CompiledDto } from './compiled-dto.js';
import { checkPayload, fieldName } from './payload-check.js';

const OPTIONS: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
};

/** Types of parameters that name no DTO: what interfaces, unions and primitives leave at run time. */
const NOT_DTOS = new Set<unknown>([String, Boolean, Number, Array, Object, Buffer, Date, Promise, undefined]);

/** More problems than anybody reads; thousands of unknown fields would make an answer larger than the request. */
const MOST_DETAILS = 20;

const ROOTS = { body: '(payload)', query: '(query)', param: '(path)', custom: '(payload)' } as const;

/**
 * The one validation pipe of HTTP and sockets: payload check, then the DTO with its validators, unknown fields refused.
 * Throws nothing but `AppError` VALIDATION_FAILED, with every problem and its path and without any of the values.
 */
@Injectable()
export class PayloadPipe implements PipeTransform {
  private readonly compiled = new Map<Type<object>, CompiledDto | undefined>();

  /** Answers at once when the payload passes, as nearly all do. */
  transform(input: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    // Values of our own decorators (the actor, the socket) are not input.
    if (type === 'custom') return input;
    const name = data === undefined ? ROOTS[type] : fieldName(data);
    if (!isDto(metatype)) {
      checkPayload(input, name);
      return input;
    }
    const payload = input === undefined ? {} : input;
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw AppError.invalid(name, 'must be an object');
    checkPayload(payload, name);
    return this.compiledOf(metatype)?.accept(payload) ?? validated(metatype, payload);
  }

  private compiledOf(dto: Type<object>): CompiledDto | undefined {
    let compiled = this.compiled.get(dto);
    if (!compiled && !this.compiled.has(dto)) this.compiled.set(dto, (compiled = CompiledDto.of(dto)));
    return compiled;
  }
}

/** The whole way, which names every problem. */
async function validated(metatype: Type<object>, payload: object): Promise<object> {
  const dto: object = plainToInstance(metatype, payload);
  const problems = hasFields(metatype)
    ? flatten(await validate(dto, OPTIONS))
    : Object.keys(dto).map(unknownField);
  if (problems.length === 0) return dto;
  throw new AppError('VALIDATION_FAILED', 'The input is not valid', {
    details: problems.slice(0, MOST_DETAILS),
  });
}

function isDto(metatype: unknown): metatype is Type<object> {
  return !NOT_DTOS.has(metatype);
}

/** class-validator takes a DTO without decorators for a mistake; for a command without fields it is the truth. */
function hasFields(dto: Type<object>): boolean {
  return getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false).length > 0;
}

const unknownField = (key: string): ErrorDetail => ({
  path: fieldName(key),
  problem: 'is not a known field',
});

function flatten(errors: ValidationError[], parents: string[] = []): ErrorDetail[] {
  return errors.flatMap((error) => {
    const parts = [...parents, fieldName(error.property)];
    const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
      path: parts.join('.'),
      problem:
        constraint === 'whitelistValidation' ? 'is not a known field' : withoutName(message, error.property),
    }));
    return [...own, ...flatten(error.children ?? [], parts)];
  });
}

/** class-validator opens its sentences with the name of the property, which the path says already. */
function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
