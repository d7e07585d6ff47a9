import {
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, BaseExceptionFilter } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { from, of } from 'rxjs';
import { AdmissionInterceptor } from '../throttling/admission.interceptor.js';
import { Command } from './command.js';
import { compileHandlers } from './compile-handlers.js';
import type { CompiledHandler } from './compiled-handler.js';
import { RealtimeGateway } from './realtime-gateway.decorator.js';
import type { RealtimeSocket } from './realtime-socket.js';

class Dto {
  roomId!: string;
}

const calls: string[] = [];

class Passes extends AdmissionInterceptor {
  admit(): void {
    calls.push('interceptor');
  }
}

/** Does more with a call than admit it. */
class Retells extends Passes {
  override intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

const guard = (name: string, answer: ReturnType<CanActivate['canActivate']>): CanActivate => ({
  canActivate: () => {
    calls.push(name);
    return answer;
  },
});

@Injectable({ scope: Scope.REQUEST })
class RequestScoped implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

const Handles = SubscribeMessage('room:join');

@RealtimeGateway('/chat')
class Plain {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() dto: Dto): object {
    calls.push('method');
    return dto;
  }
}

@WebSocketGateway({ namespace: '/chat' })
class Undecorated {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() _dto: Dto): void {
    return undefined;
  }
}

@UseFilters(BaseExceptionFilter)
class FilteredClass extends Plain {}
RealtimeGateway('/chat')(FilteredClass);

@RealtimeGateway('/chat')
class FilteredMethod {
  @Handles
  @UseFilters(BaseExceptionFilter)
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() _dto: Dto): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
@UseInterceptors(Retells)
class Intercepted extends Plain {}

@RealtimeGateway('/chat')
class PipedParameter {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody(ParseIntPipe) _dto: Dto): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
class PartOfPayload {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody('roomId') _roomId: Dto): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
class AnswersItself {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() _dto: Dto, @Ack() _ack: () => void): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
class Unvalidated {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() _payload: unknown): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
class WithoutPayload {
  @Handles
  join(@ConnectedSocket() _socket: RealtimeSocket): void {
    return undefined;
  }
}

@RealtimeGateway('/chat')
@UseGuards(RequestScoped)
class GuardedPerRequest extends Plain {}

@RealtimeGateway('/chat')
class HearsOfTheEnd extends Plain {
  handleDisconnect(): void {
    return undefined;
  }
}

async function compiled(...gateways: Type[]): Promise<ReadonlyMap<string, CompiledHandler>> {
  const module = await Test.createTestingModule({ providers: gateways }).compile();
  return compileHandlers(module).get('/chat') ?? new Map<string, CompiledHandler>();
}

function commandTo(handler: CompiledHandler | undefined): Command {
  if (!handler) throw new Error('There is no such handler');
  const socket = { data: { actor: { expiresAt: Infinity } } } as unknown as RealtimeSocket;
  const owner = { entered: () => calls.push('entered'), answered: () => undefined };
  return new Command(socket, handler.event, { roomId: 'r' }, handler, undefined, owner);
}

describe('compileHandlers', () => {
  beforeEach(() => calls.splice(0));

  it.each([
    [Undecorated, 'is no RealtimeGateway'],
    [FilteredClass, 'has an exception filter'],
    [FilteredMethod, 'FilteredMethod.join has an exception filter'],
    [Intercepted, 'has an interceptor that is no AdmissionInterceptor'],
    [PipedParameter, 'has a parameter that is not taken as a whole, or has a pipe'],
    [PartOfPayload, 'has a parameter that is not taken as a whole, or has a pipe'],
    [AnswersItself, 'does not take @ConnectedSocket() first and @MessageBody() second'],
    [WithoutPayload, 'does not take @ConnectedSocket() first and @MessageBody() second'],
    [Unvalidated, 'has a payload without a DTO'],
    [GuardedPerRequest, 'is made for each request'],
    [HearsOfTheEnd, 'has handleDisconnect'],
  ])('does not start with %p, which it would pass over', async (gateway, problem) => {
    await expect(compiled(gateway)).rejects.toThrow(problem);
  });

  it('does not start with two handlers of one command', async () => {
    @RealtimeGateway('/chat')
    class Second extends Plain {}
    await expect(compiled(Plain, Second)).rejects.toThrow('handles room:join a second time');
  });

  it('does not start with a guard of the whole application that is made for each request', async () => {
    const module = await Test.createTestingModule({
      providers: [Plain, { provide: APP_GUARD, useClass: RequestScoped }],
    }).compile();
    expect(() => compileHandlers(module)).toThrow('is made for each request');
  });

  it('runs the guards of application, class and method, then interceptors, then the method, at once', async () => {
    @RealtimeGateway('/chat')
    @UseGuards(guard('class', true))
    class Guarded {
      @Handles
      @UseGuards(guard('method', true))
      @UseInterceptors(Passes)
      join(@ConnectedSocket() _socket: RealtimeSocket, @MessageBody() dto: Dto): object {
        calls.push('method called');
        return dto;
      }
    }
    const module = await Test.createTestingModule({
      providers: [Guarded, { provide: APP_GUARD, useValue: guard('application', true) }],
    }).compile();
    const handler = compileHandlers(module).get('/chat')?.get('room:join');
    expect(handler?.run(commandTo(handler))).toEqual({ roomId: 'r' });
    expect(calls).toEqual(['application', 'class', 'method', 'interceptor', 'method called', 'entered']);
  });

  it.each([
    ['false', false],
    ['a promise of false', Promise.resolve(false)],
    ['an observable of false', of(false)],
    ['an observable that ends with false', from([true, false])],
  ])('refuses when a guard answers %s', async (_name, answer) => {
    @RealtimeGateway('/chat')
    @UseGuards(guard('class', answer))
    class Guarded extends Plain {}
    const handler = (await compiled(Guarded)).get('room:join');
    const run = async () => handler?.run(commandTo(handler));
    await expect(run()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(calls).toEqual(['class']);
  });

  it('waits for a guard that answers later', async () => {
    @RealtimeGateway('/chat')
    @UseGuards(guard('class', Promise.resolve(true)))
    class Guarded extends Plain {}
    const handler = (await compiled(Guarded)).get('room:join');
    const answer = handler?.run(commandTo(handler));
    expect(calls).toEqual(['class']);
    expect(await answer).toEqual({ roomId: 'r' });
    expect(calls).toEqual(['class', 'method', 'entered']);
  });
});
