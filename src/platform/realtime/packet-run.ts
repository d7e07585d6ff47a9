import type { EncodedPackets, WriteOptions } from './frame-queue-internals.js';
import type { FrameList } from './frame-queue-list.js';

/** A packet as it was encoded once for all its receivers. */
export interface EncodedPacket {
  readonly packets: EncodedPackets;
  readonly options: WriteOptions;
}

/** Packets that go to many connections one after the other. Put together once, they are queued as one. */
export class PacketRun {
  private readonly joined: readonly [Buffer] | undefined;

  constructor(readonly packets: readonly EncodedPacket[]) {
    const parts = packets.map(({ options }) => options.wsPreEncodedFrame);
    if (parts.every((frame) => frame !== undefined)) this.joined = [Buffer.concat(parts.flat())];
  }

  /** A list with the run at its end; none when a packet of it cannot be queued. */
  after(list: FrameList): FrameList | undefined {
    return this.joined && list.with(this.joined, this.packets.length);
  }
}
