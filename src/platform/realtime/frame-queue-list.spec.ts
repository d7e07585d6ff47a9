import { FrameList, type Frame } from './frame-queue-list.js';

const broadcast = (text: string): Frame => [Buffer.from([0x81, text.length + 1]), Buffer.from(`4${text}`)];

describe('FrameList', () => {
  it('puts frames one after the other', () => {
    const list = FrameList.empty().with(broadcast('one')).with('two').with(broadcast('three'));
    expect(list.length).toBe(3);
    expect(list.join().toString('latin1')).toBe('\x81\x044one\x81\x044two\x81\x064three');
    expect(list.bytes).toBe(list.join().length);
  });

  it('shares the list and its bytes among those who were given the same', () => {
    const empty = FrameList.empty();
    const [one, two] = [broadcast('one'), broadcast('two')];
    const members = [empty, empty, empty].map((list) => list.with(one)).map((list) => list.with(two));
    expect(new Set(members).size).toBe(1);
    expect(new Set(members.map((list) => list.join())).size).toBe(1);
  });

  it('parts with the first frame that differs, and keeps what was before', () => {
    const [room, answer] = [broadcast('room'), 'answer'];
    const start = FrameList.empty().with(room);
    const sender = start.with(answer);
    const others = [start, start].map((list) => list.with(broadcast('other')));
    const texts = [start, sender, ...others].map((list) => list.join().toString('latin1'));
    expect(texts).toEqual([
      '\x81\x054room',
      '\x81\x054room\x81\x074answer',
      '\x81\x054room\x81\x064other',
      '\x81\x054room\x81\x064other',
    ]);
    // Each was a broadcast of its own, so nothing is shared.
    expect(others[0]).not.toBe(others[1]);
  });

  it('is right, if not shared, when frames take turns', () => {
    const empty = FrameList.empty();
    const [one, two] = [broadcast('one'), broadcast('two')];
    const lists = [one, two, one].map((frame) => empty.with(frame));
    expect(lists.map((list) => list.join().toString('latin1'))).toEqual([
      '\x81\x044one',
      '\x81\x044two',
      '\x81\x044one',
    ]);
  });

  // The length of a payload takes 7, 16 or 64 bits: RFC 6455, 5.2.
  it.each([
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('frames a payload of %i bytes', (payload, header) => {
    const text = 'é'.repeat((payload - 1) >> 1) + 'e'.repeat((payload - 1) & 1);
    const frame = FrameList.empty().with('before').with(text).join().subarray(9);
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.subarray(header.length).equals(Buffer.from(`4${text}`))).toBe(true);
  });
});
