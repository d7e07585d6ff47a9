/**
 * One WebSocket frame: as Socket.IO's adapter built it for all receivers of a broadcast (header and payload; or several such frames, put
 * together), or the text of a packet that goes to one connection and is framed when it leaves.
 */
export type Frame = readonly Buffer[] | string;

/** FIN and the opcode of text; the Engine.IO type "message". */
const FINAL_TEXT = 0x81;
const MESSAGE = 0x34;

/**
 * A list of frames that grows at its end, shared by every connection whose queue holds the same: a queue is the list it has arrived at.
 * Adding a frame others have added too is one comparison, and the bytes of a list are put together once, whoever sends them.
 *
 * Only the last continuation of a list is remembered. A packet is handed to all its receivers in one go, so an older one is not asked
 * for again; if it were, the same frames would be put together twice.
 */
export class FrameList {
  private last: FrameList | undefined;
  private joined: Buffer | undefined;

  private constructor(
    /** All but the last frame. */
    readonly before: FrameList | undefined,
    readonly frame: Frame,
    /** Of all frames together. */
    readonly bytes: number,
    /** How many frames. */
    readonly length: number,
  ) {}

  static empty(): FrameList {
    return new FrameList(undefined, '', 0, 0);
  }

  /** `count` says how many frames were put together in one. */
  with(frame: Frame, count = 1): FrameList {
    // Equal texts are the same bytes, so it does not matter that strings compare by value.
    const { last } = this;
    if (last?.frame === frame) return last;
    return (this.last = new FrameList(this, frame, this.bytes + sizeOf(frame), this.length + count));
  }

  /** The frames one after the other, as they go over the wire. Everybody is given the same bytes: nobody may change them. */
  join(): Buffer {
    return (this.joined ??= this.only() ?? put(this));
  }

  /** The list is in one piece already. */
  private only(): Buffer | undefined {
    const { before, frame } = this;
    return before && !before.before && typeof frame !== 'string' && frame.length === 1 ? frame[0] : undefined;
  }
}

/** From the end, because a list knows only what was before. */
function put(list: FrameList): Buffer {
  const target = Buffer.allocUnsafe(list.bytes);
  for (let last = list; last.before; last = last.before) write(last.frame, target, last.before.bytes);
  return target;
}

function sizeOf(frame: Frame): number {
  if (typeof frame !== 'string') {
    let bytes = 0;
    for (const part of frame) bytes += part.length;
    return bytes;
  }
  const payload = Buffer.byteLength(frame) + 1;
  return payload + headerOf(payload);
}

function headerOf(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

function write(frame: Frame, target: Buffer, at: number): void {
  if (typeof frame === 'string') {
    writeText(frame, target, at);
    return;
  }
  let to = at;
  for (const part of frame) {
    target.set(part, to);
    to += part.length;
  }
}

/** A frame as RFC 6455, 5.2 has it: text in one piece, not masked, because it goes from the server to the client. */
function writeText(text: string, target: Buffer, at: number): void {
  const payload = Buffer.byteLength(text) + 1;
  const header = headerOf(payload);
  target[at] = FINAL_TEXT;
  if (header === 2) target[at + 1] = payload;
  else if (header === 4) {
    target[at + 1] = 126;
    target.writeUInt16BE(payload, at + 2);
  } else {
    target[at + 1] = 127;
    target.writeUInt32BE(Math.floor(payload / 2 ** 32), at + 2);
    target.writeUInt32BE(payload % 2 ** 32, at + 6);
  }
  target[at + header] = MESSAGE;
  target.write(text, at + header + 1);
}
