import type { TestServer } from '../../harness/server.js';
import type { World } from '../hostile-world.js';
import { adminRoutes } from './admin.js';
import { auditRoutes } from './audit.js';
import { authRoutes } from './auth.js';
import { deliveryRoutes } from './delivery.js';
import { messageRoutes } from './messages.js';
import { moderationRoutes } from './moderation.js';
import { notificationRoutes } from './notifications.js';
import { operationRoutes } from './operations.js';
import { presenceRoutes } from './presence.js';
import { roomRoutes } from './rooms.js';
import type { Routes } from './route.js';

/** What every route of the server reads. A route without a row fails `hostile-rest.spec.ts`. */
export function allRoutes(world: World): Routes {
  return {
    ...authRoutes(),
    ...roomRoutes(world),
    ...messageRoutes(world),
    ...presenceRoutes(world),
    ...notificationRoutes(world),
    ...deliveryRoutes(world),
    ...moderationRoutes(world),
    ...adminRoutes(world),
    ...auditRoutes(world),
    ...operationRoutes(),
  };
}

/** The routes Express serves: what a new controller adds is here without asking. */
export function routesOf(server: TestServer): string[] {
  interface Layer {
    route?: { path: string; methods: Record<string, boolean> };
  }
  const { router } = server.app.getHttpAdapter().getInstance() as { router: { stack: Layer[] } };
  const all = router.stack.flatMap(({ route }) => {
    const methods = Object.keys(route?.methods ?? {});
    // Nest puts its global middleware in front of the routes without the prefix, for every method there is.
    return route && methods.length < 10
      ? methods.map((method) => `${method.toUpperCase()} ${route.path}`)
      : [];
  });
  // Swagger's pages are files; what is beneath them is tested as unknown routes.
  return [...new Set(all)].filter((key) => !/ \/docs(-|\/(?!errors)|$)/.test(key) && !key.includes('*'));
}
