import type { Type } from '@nestjs/common';

/** Where Nest keeps what the decorators of parameters say, and its numbers for two of them. */
const PARAMETERS = '__routeArguments__';
const SOCKET = '0';
const PAYLOAD = '3';

interface Parameter {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly schema?: unknown;
}

/**
 * The class of a gateway method's payload. Its parameters are `@ConnectedSocket()` first and `@MessageBody()` with a DTO
 * second, each bare: `refuse` makes the error for anything else.
 */
export function payloadTypeOf(prototype: object, method: string, refuse: (problem: string) => Error): Type {
  const parameters =
    (Reflect.getMetadata(PARAMETERS, prototype.constructor, method) as
      Record<string, Parameter> | undefined) ?? {};
  const kinds = new Map(Object.entries(parameters).map(([key, { index }]) => [index, key.split(':')[0]]));
  const types = (Reflect.getMetadata('design:paramtypes', prototype, method) as unknown[] | undefined) ?? [];
  if (types.length !== 2 || kinds.size !== 2 || kinds.get(0) !== SOCKET || kinds.get(1) !== PAYLOAD)
    throw refuse('does not take @ConnectedSocket() first and @MessageBody() second');
  for (const { data, pipes = [], schema } of Object.values(parameters))
    if (data !== undefined || schema !== undefined || pipes.length > 0)
      throw refuse('has a parameter that is not taken as a whole, or has a pipe');
  const [, dto] = types;
  if (typeof dto !== 'function' || dto === Object) throw refuse('has a payload without a DTO');
  return dto as Type;
}
