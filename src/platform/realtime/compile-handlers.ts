import type { CanActivate, INestApplicationContext, NestInterceptor, PipeTransform } from '@nestjs/common';
import { ExternalContextCreator, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { AdmissionInterceptor } from '../throttling/admission.interceptor.js';
import { CompiledHandler, type GatewayMethod } from './compiled-handler.js';
import { payloadTypeOf } from './gateway-parameters.js';
import { REALTIME_GATEWAY } from './realtime-gateway.decorator.js';

/** Where Nest keeps what decorators say. */
const IS_GATEWAY = 'websockets:is_gateway';
const EVENT = 'message';
const FILTERS = '__exceptionFilters__';

type Handlers = ReadonlyMap<string, CompiledHandler>;

interface Gateway {
  readonly name: string;
  readonly namespace: string;
  readonly instance: object;
  readonly moduleKey: string;
}

/** Nest's own resolution of decorators and global parts to instances, which it keeps behind a public provider. */
interface ContextCreator<T> {
  create(instance: object, method: GatewayMethod, moduleKey: string): T[];
}
interface Resolution {
  readonly guardsContextCreator: ContextCreator<CanActivate>;
  readonly interceptorsContextCreator: ContextCreator<NestInterceptor>;
  readonly pipesContextCreator: ContextCreator<PipeTransform>;
}

/**
 * What each gateway method has in front of it, by namespace and event, resolved once by Nest itself. Anything that would
 * be resolved differently for each command, or that a compiled handler does not run, ends the start: nothing that
 * somebody decorated a gateway with is passed over in silence.
 */
export function compileHandlers(app: INestApplicationContext): ReadonlyMap<string, Handlers> {
  const resolution = resolutionOf(app);
  const namespaces = new Map<string, Map<string, CompiledHandler>>();
  for (const gateway of gatewaysOf(app.get(ModulesContainer))) {
    const handlers = namespaces.get(gateway.namespace) ?? new Map<string, CompiledHandler>();
    namespaces.set(gateway.namespace, handlers);
    for (const handler of handlersOf(gateway, resolution)) {
      if (handlers.has(handler.event)) throw unsupported(gateway, `handles ${handler.event} a second time`);
      handlers.set(handler.event, handler);
    }
  }
  return namespaces;
}

function resolutionOf(app: INestApplicationContext): Resolution {
  const resolution = app.get<unknown>(ExternalContextCreator) as Partial<Resolution>;
  const { guardsContextCreator, interceptorsContextCreator, pipesContextCreator } = resolution;
  if (!guardsContextCreator || !interceptorsContextCreator || !pipesContextCreator)
    throw new Error('This version of Nest resolves guards, interceptors and pipes in another way');
  return { guardsContextCreator, interceptorsContextCreator, pipesContextCreator };
}

function gatewaysOf(modules: ModulesContainer): Gateway[] {
  return [...modules].flatMap(([moduleKey, { providers, injectables }]) => {
    // A part of the whole application, such as APP_GUARD, that is made anew for each request.
    for (const part of [...providers.values(), ...injectables.values()])
      if (String(part.token).startsWith('APP_') && !part.isDependencyTreeStatic())
        throw unsupported({ name: String(part.name) }, 'is made for each request');
    return [...providers.values()].flatMap((wrapper) => {
      const { metatype } = wrapper;
      if (!metatype || Reflect.getMetadata(IS_GATEWAY, metatype) !== true) return [];
      const name = metatype.name;
      const namespace = Reflect.getMetadata(REALTIME_GATEWAY, metatype) as string | undefined;
      if (namespace === undefined) throw unsupported({ name }, 'is no RealtimeGateway');
      if (!wrapper.isDependencyTreeStatic()) throw unsupported({ name }, 'is made for each request');
      const gateway = { name, namespace, instance: wrapper.instance as object, moduleKey };
      if ('handleDisconnect' in gateway.instance)
        throw unsupported(gateway, 'has handleDisconnect: listen to `disconnect` of the socket instead');
      if (Reflect.hasMetadata(FILTERS, metatype)) throw unsupported(gateway, 'has an exception filter');
      return [gateway];
    });
  });
}

function handlersOf(gateway: Gateway, resolution: Resolution): CompiledHandler[] {
  const prototype = Object.getPrototypeOf(gateway.instance) as Record<string, GatewayMethod>;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const method = prototype[name];
    const event = method && (Reflect.getMetadata(EVENT, method) as unknown);
    if (!method || event === undefined) return [];
    const handler = { ...gateway, name: `${gateway.name}.${name}` };
    if (typeof event !== 'string') throw unsupported(handler, 'has an event that is no text');
    if (Reflect.hasMetadata(FILTERS, method)) throw unsupported(handler, 'has an exception filter');
    const { instance, moduleKey } = gateway;
    const interceptors = resolution.interceptorsContextCreator.create(instance, method, moduleKey);
    if (!interceptors.every(onlyAdmits))
      throw unsupported(handler, 'has an interceptor that is no AdmissionInterceptor');
    return [
      new CompiledHandler({
        event,
        gateway: instance,
        method,
        guards: resolution.guardsContextCreator.create(instance, method, moduleKey),
        interceptors,
        pipes: resolution.pipesContextCreator.create(instance, method, moduleKey),
        dto: payloadTypeOf(prototype, name, (problem) => unsupported(handler, problem)),
      }),
    ];
  });
}

/** One that overrides `intercept` does more than it tells. */
function onlyAdmits(interceptor: NestInterceptor): interceptor is AdmissionInterceptor {
  return (
    interceptor instanceof AdmissionInterceptor &&
    interceptor.intercept === AdmissionInterceptor.prototype.intercept
  );
}

function unsupported({ name }: { name: string }, problem: string): Error {
  return new Error(`${name} ${problem}: commands of sockets do not support that`);
}
