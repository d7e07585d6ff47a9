import type { PresenceStatus } from '../contract/presence.js';
import {
  bestOf,
  PresenceStore,
  type Availability,
  type Device,
  type DeviceStatus,
  type PresenceTimes,
} from './presence.store.js';

interface UserDevices {
  devices: Map<string, DeviceStatus>;
  /** Until when devices of this status count that are gone: of many, the last one decides. */
  lingering: Map<DeviceStatus, number>;
  /** When the last one was gone. */
  goneAt: number;
  announced: PresenceStatus;
  version: number;
}

interface Node {
  leaseUntil: number;
  /** User by device. */
  devices: Map<string, string>;
}

/** Presence in the memory of one process. Each method is one synchronous step, so nothing comes in between. */
export class MemoryPresenceStore extends PresenceStore {
  private readonly users = new Map<string, UserDevices>();
  private readonly nodes = new Map<string, Node>();
  /** When lingering devices end, and whose they are; the first end first. */
  private readonly ends: { at: number; userIds: ReadonlySet<string> }[] = [];
  private version = 0;

  constructor(
    private readonly times: PresenceTimes,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  override report(nodeId: string, devices: readonly Device[]): Promise<Availability[]> {
    const node = this.nodes.get(nodeId) ?? { leaseUntil: 0, devices: new Map<string, string>() };
    this.nodes.set(nodeId, node);
    node.leaseUntil = this.now() + this.times.leaseMs;
    for (const { userId, deviceId, status } of devices) {
      node.devices.set(deviceId, userId);
      this.user(userId).devices.set(deviceId, status);
    }
    return Promise.resolve(this.changesOf(new Set(devices.map(({ userId }) => userId))));
  }

  override remove(nodeId: string, devices: readonly Pick<Device, 'userId' | 'deviceId'>[]): Promise<void> {
    const node = this.nodes.get(nodeId);
    const deviceIds = devices.map(({ deviceId }) => deviceId);
    if (node) this.gone(node, deviceIds, this.now());
    return Promise.resolve();
  }

  override renew(nodeId: string): Promise<boolean> {
    const node = this.nodes.get(nodeId);
    if (node) node.leaseUntil = this.now() + this.times.leaseMs;
    return Promise.resolve(node !== undefined);
  }

  override leave(nodeId: string): Promise<void> {
    this.end(nodeId, this.now());
    return Promise.resolve();
  }

  override reap(): Promise<{ changes: Availability[]; nextMs?: number }> {
    const now = this.now();
    for (const [nodeId, { leaseUntil }] of this.nodes) if (leaseUntil <= now) this.end(nodeId, leaseUntil);
    const firstLeft = this.ends.findIndex(({ at }) => at > now);
    const over = this.ends.splice(0, firstLeft < 0 ? this.ends.length : firstLeft);
    const changes = this.changesOf(new Set(over.flatMap(({ userIds }) => [...userIds])));
    const [next] = this.ends;
    return Promise.resolve({ changes, ...(next && { nextMs: next.at - now }) });
  }

  override read(userIds: readonly string[]): Promise<Availability[]> {
    return Promise.resolve(
      userIds.map((userId) => {
        const user = this.users.get(userId);
        return user
          ? { userId, status: user.announced, version: user.version }
          : { userId, status: 'offline', version: this.version };
      }),
    );
  }

  private user(userId: string): UserDevices {
    const known = this.users.get(userId);
    if (known) return known;
    const user: UserDevices = {
      devices: new Map(),
      lingering: new Map(),
      goneAt: 0,
      announced: 'offline',
      version: this.version,
    };
    this.users.set(userId, user);
    return user;
  }

  private end(nodeId: string, at: number): void {
    const node = this.nodes.get(nodeId);
    if (!node) return;
    this.gone(node, [...node.devices.keys()], at);
    this.nodes.delete(nodeId);
  }

  private gone(node: Node, deviceIds: readonly string[], at: number): void {
    const until = at + this.times.lingerMs;
    const userIds = new Set<string>();
    for (const deviceId of deviceIds) {
      const userId = node.devices.get(deviceId);
      const user = userId === undefined ? undefined : this.users.get(userId);
      const status = user?.devices.get(deviceId);
      if (userId === undefined || !user || !status) continue;
      node.devices.delete(deviceId);
      user.devices.delete(deviceId);
      user.goneAt = Math.max(user.goneAt, at);
      user.lingering.set(status, Math.max(user.lingering.get(status) ?? 0, until));
      userIds.add(userId);
    }
    if (userIds.size === 0) return;
    // The last one, but for leases: they ended before they were found to be over.
    const before = this.ends.findLastIndex((end) => end.at <= until);
    this.ends.splice(before + 1, 0, { at: until, userIds });
  }

  private changesOf(userIds: Iterable<string>): Availability[] {
    const now = this.now();
    const changes: Availability[] = [];
    for (const userId of userIds) {
      const user = this.users.get(userId);
      if (!user) continue;
      for (const [status, until] of user.lingering) if (until <= now) user.lingering.delete(status);
      const status = bestOf(new Set([...user.devices.values(), ...user.lingering.keys()]));
      if (status === 'offline') this.users.delete(userId);
      if (status === user.announced) continue;
      user.announced = status;
      user.version = this.version += 1;
      const { version, goneAt } = user;
      changes.push({ userId, status, version, ...(status === 'offline' && { lastSeenAt: goneAt }) });
    }
    return changes;
  }
}
