import type { ArgumentMetadata, CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common';
import { lastValueFrom, isObservable } from 'rxjs';
import { AppError } from '../errors/app-error.js';
import type { AdmissionInterceptor } from '../throttling/admission.interceptor.js';
import { CommandContext } from './command-context.js';
import type { RealtimeSocket } from './realtime-socket.js';

/** What a handler needs of a `Command`. */
interface Call {
  readonly socket: RealtimeSocket;
  readonly payload: unknown;
  readonly wantsAck: boolean;
  /** The method has been called. */
  entered(): void;
}

/** The socket first, then the payload. */
export type GatewayMethod = (socket: RealtimeSocket, payload: unknown) => unknown;

/** What Nest knows of a gateway method, resolved once at the start. See compile-handlers.ts. */
export interface HandlerParts {
  readonly event: string;
  readonly gateway: object;
  readonly method: GatewayMethod;
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly AdmissionInterceptor[];
  readonly pipes: readonly PipeTransform[];
  /** The class of the payload. */
  readonly dto: ArgumentMetadata['metatype'];
}

type Step = (context: ExecutionContext) => void | Promise<void>;

/** The command whose handler is being called at this moment, until the handler first awaits. */
let entering: Call | undefined;

/** True when the client of the command waits for an acknowledgement. Ask before the first `await`. */
export function wantsAck(socket: RealtimeSocket): boolean {
  return entering?.socket === socket ? entering.wantsAck : true;
}

/**
 * A gateway method with all that a command passes before it: guards, admissions, pipes, in Nest's order. What answers
 * at once is not waited for, so that a command may pass without one promise.
 */
export class CompiledHandler {
  readonly event: string;
  readonly gateway: object;
  readonly method: GatewayMethod;
  /** A barrier for later commands on the same room. */
  readonly changesRoom: boolean;
  private readonly steps: readonly Step[];
  private readonly argument: ArgumentMetadata;

  constructor(private readonly parts: HandlerParts) {
    this.event = parts.event;
    this.gateway = parts.gateway;
    this.method = parts.method;
    this.changesRoom = parts.event.startsWith('room:') && !READS.has(parts.event);
    this.steps = [...parts.guards.map(asked), ...parts.interceptors.map(admitted)];
    this.argument = { type: 'body', metatype: parts.dto, data: undefined };
  }

  /** For tests that ask what a command passes. */
  get passes(): Pick<HandlerParts, 'guards' | 'interceptors' | 'pipes' | 'dto'> {
    return this.parts;
  }

  /** Throws or rejects with what the command is refused with. */
  run(call: Call): unknown {
    const context = new CommandContext(this, call.socket, call.payload);
    const admission = this.admit(context, 0);
    if (admission) return admission.then(() => this.validate(call));
    return this.validate(call);
  }

  private admit(context: ExecutionContext, first: number): void | Promise<void> {
    for (let index = first; index < this.steps.length; index++) {
      const step = this.steps[index]?.(context);
      if (step) return step.then(() => this.admit(context, index + 1));
    }
  }

  private validate(call: Call): unknown {
    let payload = call.payload;
    const { pipes } = this.parts;
    for (let index = 0; index < pipes.length; index++) {
      payload = pipes[index]?.transform(payload, this.argument);
      if (isPromise(payload)) return this.validateOn(payload, index + 1, call);
    }
    return this.enter(call, payload);
  }

  private async validateOn(payload: Promise<unknown>, first: number, call: Call): Promise<unknown> {
    let validated = await payload;
    for (const pipe of this.parts.pipes.slice(first))
      validated = (await pipe.transform(validated, this.argument)) as unknown;
    return this.enter(call, validated);
  }

  private enter(call: Call, payload: unknown): unknown {
    entering = call;
    try {
      return this.method.call(this.gateway, call.socket, payload);
    } finally {
      entering = undefined;
      call.entered();
    }
  }
}

/** `room:*` commands that change nothing hold up nobody. */
const READS = new Set(['room:sync', 'room:members']);

function asked(guard: CanActivate): Step {
  return (context) => {
    const answer = guard.canActivate(context);
    if (answer === true) return;
    if (answer === false) throw forbidden();
    return answered(answer);
  };
}

async function answered(answer: Exclude<ReturnType<CanActivate['canActivate']>, boolean>): Promise<void> {
  if (!(isObservable(answer) ? await lastValueFrom(answer) : await answer)) throw forbidden();
}

function admitted(interceptor: AdmissionInterceptor): Step {
  return (context) => interceptor.admit(context);
}

const forbidden = () => new AppError('FORBIDDEN', 'Forbidden');

/** By its method: not every promise is made by the same realm. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
