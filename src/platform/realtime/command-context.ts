import type { ContextType, ExecutionContext, Type } from '@nestjs/common';
import type { RealtimeSocket } from './realtime-socket.js';

type SocketArguments = ReturnType<ExecutionContext['switchToWs']>;

/** What a context tells of the handler that is called. */
interface Target {
  readonly event: string;
  readonly gateway: object;
  readonly method: (socket: RealtimeSocket, payload: unknown) => unknown;
}

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- Nest declares them. */
/** What guards and interceptors learn of one command: Nest's own context makes three closures each time it is asked. */
export class CommandContext implements ExecutionContext, SocketArguments {
  constructor(
    private readonly target: Target,
    private readonly socket: RealtimeSocket,
    private readonly payload: unknown,
  ) {}

  getType<T extends string = ContextType>(): T {
    return 'ws' as T;
  }

  getClass<T>(): Type<T> {
    return this.target.gateway.constructor as Type<T>;
  }

  getHandler(): Target['method'] {
    return this.target.method;
  }

  getArgs<T extends unknown[]>(): T {
    return [this.socket, this.payload, this.target.event] as unknown[] as T;
  }

  getArgByIndex<T>(index: number): T {
    return this.getArgs()[index] as T;
  }

  switchToWs(): SocketArguments {
    return this;
  }

  switchToHttp(): never {
    throw new Error('A command of a socket is no HTTP request');
  }

  switchToRpc(): never {
    throw new Error('A command of a socket is no RPC');
  }

  getClient<T>(): T {
    return this.socket as T;
  }

  getData<T>(): T {
    return this.payload as T;
  }

  getPattern(): string {
    return this.target.event;
  }
}
