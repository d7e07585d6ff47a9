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
  /** Users with lingering devices. */
  private readonly leaving = new Set<string>();
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
    for (const { deviceId } of devices) if (node) this.gone(node, deviceId, this.now());
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
    const changes = this.changesOf(this.leaving);
    const next = this.nextEnd();
    return Promise.resolve({ changes, ...(next !== undefined && { nextMs: Math.max(0, next - now) }) });
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
    for (const deviceId of [...node.devices.keys()]) this.gone(node, deviceId, at);
    this.nodes.delete(nodeId);
  }

  private gone(node: Node, deviceId: string, at: number): void {
    const userId = node.devices.get(deviceId);
    const user = userId === undefined ? undefined : this.users.get(userId);
    const status = user?.devices.get(deviceId);
    if (userId === undefined || !user || !status) return;
    node.devices.delete(deviceId);
    user.devices.delete(deviceId);
    user.goneAt = Math.max(user.goneAt, at);
    user.lingering.set(status, Math.max(user.lingering.get(status) ?? 0, at + this.times.lingerMs));
    this.leaving.add(userId);
  }

  private changesOf(userIds: Iterable<string>): Availability[] {
    const now = this.now();
    const changes: Availability[] = [];
    for (const userId of [...userIds]) {
      const user = this.users.get(userId);
      if (!user) continue;
      for (const [status, until] of user.lingering) if (until <= now) user.lingering.delete(status);
      if (user.lingering.size === 0) this.leaving.delete(userId);
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

  private nextEnd(): number | undefined {
    let next: number | undefined;
    for (const userId of this.leaving)
      for (const until of this.users.get(userId)?.lingering.values() ?? [])
        next = next === undefined ? until : Math.min(next, until);
    return next;
  }
}
