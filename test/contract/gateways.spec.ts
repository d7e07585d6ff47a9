import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { contract } from '../../scripts/contract.js';
import { NAMESPACES } from '../../src/contract/namespaces.js';
import { compileHandlers } from '../../src/platform/realtime/compile-handlers.js';
import { REALTIME_GATEWAY } from '../../src/platform/realtime/realtime-gateway.decorator.js';
import { SessionGuard } from '../../src/platform/realtime/session.guard.js';
import { ThrottleInterceptor } from '../../src/platform/throttling/throttle.interceptor.js';
import { PayloadPipe } from '../../src/platform/validation/payload.pipe.js';
import { TestServer } from '../harness/server.js';

describe('the contract and the server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  it('every gateway is a RealtimeGateway: it passes the guard', () => {
    for (const { type } of gateways(server.app))
      expect(Reflect.getMetadata(REALTIME_GATEWAY, type)).toBeDefined();
    expect(gateways(server.app)).not.toHaveLength(0);
  });

  it('the gateways handle exactly the commands of the contract', () => {
    const handled: Record<string, string[]> = {};
    for (const { type, namespace } of gateways(server.app))
      (handled[namespace] ??= []).push(...handledBy(type));
    expect(Object.keys(handled).sort()).toEqual(Object.keys(NAMESPACES).sort());
    for (const [namespace, { commands }] of Object.entries(NAMESPACES))
      expect(handled[namespace]?.sort()).toEqual([...commands].sort());
  });

  it('every command of the contract passes guard, throttle and validation on its way to its handler', () => {
    const compiled = compileHandlers(server.app);
    for (const [namespace, { commands }] of Object.entries(NAMESPACES)) {
      expect([...(compiled.get(namespace)?.keys() ?? [])].sort()).toEqual([...commands].sort());
      for (const handler of compiled.get(namespace)?.values() ?? []) {
        const { guards, interceptors, pipes } = handler.passes;
        expect(guards).toContainEqual(expect.any(SessionGuard));
        expect(interceptors).toEqual([expect.any(ThrottleInterceptor)]);
        expect(pipes).toEqual([expect.any(PayloadPipe)]);
      }
    }
  });

  it('has not changed without its snapshot, and the snapshot not without a "Wire" line in the changelog', () => {
    const snapshot: unknown = JSON.parse(readFileSync(join(__dirname, 'contract.snapshot.json'), 'utf8'));
    expect(contract).toEqual(snapshot);
    expect(readFileSync(join(__dirname, '../../CHANGELOG.md'), 'utf8')).toMatch(/^### Wire$/m);
  });
});

/** A class that Nest binds to a namespace, however it was declared. */
function gateways(app: NestExpressApplication): { type: new () => unknown; namespace: string }[] {
  return new DiscoveryService(app.get(ModulesContainer)).getProviders().flatMap(({ metatype }) => {
    if (typeof metatype !== 'function' || Reflect.getMetadata('websockets:is_gateway', metatype) !== true)
      return [];
    const options = Reflect.getMetadata('websockets:gateway_options', metatype) as { namespace: string };
    return [{ type: metatype as new () => unknown, namespace: options.namespace }];
  });
}

function handledBy(type: new () => unknown): string[] {
  const prototype = type.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const event = Reflect.getMetadata('message', prototype[name] as object) as string | undefined;
    return event === undefined ? [] : [event];
  });
}
