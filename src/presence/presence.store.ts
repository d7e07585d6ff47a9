import type { PresenceStatus } from '../contract/presence.js';

export type DeviceStatus = Exclude<PresenceStatus, 'offline'>;

/** One transport of a user on a node. Its id is unique among all nodes. */
export interface Device {
  userId: string;
  deviceId: string;
  status: DeviceStatus;
}

/** What the devices of a user come to. What the user chose to show is not in it. */
export interface Availability {
  userId: string;
  status: PresenceStatus;
  /** Grows with every change of anybody. Of two for one user the higher one is the newer one. */
  version: number;
  /** When the last device was gone, in ms since the epoch; only when `offline`, and only while it is known. */
  lastSeenAt?: number;
}

export interface PresenceTimes {
  /** A device counts for this long after it is gone, so that a reload shows nothing. */
  lingerMs: number;
  /** A node that says nothing for this long is dead. */
  leaseMs: number;
}

/** The times of the contract: with the reaping every 5 s nobody is shown online for more than 45 s after their node died. */
export const LEASE_MS = 30_000;
export const RENEW_EVERY_MS = 10_000;
export const REAP_EVERY_MS = 5000;

/** From the most available to the least: the best device of a user counts. */
const RANKING: readonly DeviceStatus[] = ['busy', 'online', 'away'];

export function bestOf(statuses: ReadonlySet<DeviceStatus>): PresenceStatus {
  return RANKING.find((status) => statuses.has(status)) ?? 'offline';
}

/**
 * Which devices there are, on all nodes, and what they make of their users. What every implementation guarantees:
 *
 * - **Announced once.** A change of a user's availability is returned to exactly one caller, of whatever method on
 *   whatever node, however many devices and nodes take part. That caller tells everybody.
 * - **Best device.** The availability is the best of the devices: busy > online > away; `offline` when none counts.
 * - **Lingering.** A device that is removed counts with its last status for `lingerMs` more. A user whose device comes
 *   back within that time, on any node, has not changed. `reap` is what announces the ends of these times.
 * - **Leases.** `report` and `renew` give a node `leaseMs`. When that is over, any node's `reap` removes its devices as
 *   if they had gone when the lease ended. So with a renewal every 10 s and a reaping every 5 s, a lost node is
 *   announced within lease + linger + 5 s = 45 s of its last renewal.
 * - **Atomicity.** A call is one step for each user: nobody sees half of it. It is idempotent: reporting what is known,
 *   or removing what is not, changes nothing.
 * - **Order.** The calls of one node take effect in the order they are awaited. Versions of a user only grow.
 * - **Cost.** Any number of devices is one round trip. A renewal costs the same for one device as for 10,000.
 * - **Nothing survives** the loss of the store: nodes report again what they hold (`renew` tells them to).
 */
export abstract class PresenceStore {
  /** These devices of the node are there, with this status. The changes that came of it. */
  abstract report(nodeId: string, devices: readonly Device[]): Promise<Availability[]>;

  /** These devices of the node are gone, and linger. */
  abstract remove(nodeId: string, devices: readonly Pick<Device, 'userId' | 'deviceId'>[]): Promise<void>;

  /** The node lives, with all its devices. False when it is not known any more: it has to report them again. */
  abstract renew(nodeId: string): Promise<boolean>;

  /** The node ends: all its devices are gone, and linger. */
  abstract leave(nodeId: string): Promise<void>;

  /** Ends what is over: leases and lingering devices. What came of it, and in how many ms the next lingering device is due. */
  abstract reap(): Promise<{ changes: Availability[]; nextMs?: number }>;

  /** One for each of these users, in their order. `offline` ones carry the version of this moment: what happens later has a higher one. */
  abstract read(userIds: readonly string[]): Promise<Availability[]>;
}
