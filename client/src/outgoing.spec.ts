import fc from 'fast-check';
import type { SendMessage, SentMessage } from '../../src/contract/chat.js';
import { ParleyError, type LocalErrorCode } from './errors.js';
import type { ErrorCode } from '../../src/contract/errors.js';
import { Outgoing } from './outgoing.js';
import { TIMING } from './timing.js';

const timing = { ...TIMING, retryBaseMs: 1, retryMaxMs: 2 };

/** A server that keeps what it takes, once per id, and fails as told: before or after taking it. */
function scripted(
  failures: ({ code: ErrorCode | LocalErrorCode; taken?: boolean; retryAfterMs?: number } | undefined)[] = [],
) {
  const taken: SendMessage[] = [];
  let calls = 0;
  const send = (message: SendMessage): Promise<SentMessage> => {
    const failure = failures[calls];
    calls += 1;
    if (failure !== undefined && failure.taken !== true)
      return Promise.reject(new ParleyError(failure.code, 'no', { retryAfterMs: failure.retryAfterMs }));
    const known = taken.findIndex(({ clientMessageId }) => clientMessageId === message.clientMessageId);
    if (known === -1) taken.push(message);
    if (failure !== undefined) return Promise.reject(new ParleyError(failure.code, 'lost'));
    const seq = known === -1 ? taken.length : known + 1;
    return Promise.resolve({
      messageId: `m${String(seq)}`,
      seq,
      rev: seq,
      createdAt: '',
      deduplicated: known !== -1,
    });
  };
  const outgoing = new Outgoing('r', { send, whenReady: () => Promise.resolve(), timing });
  return { outgoing, taken, calls: () => calls };
}

describe('Outgoing', () => {
  it('shows a message as pending, then as sent until the room shows it', async () => {
    const { outgoing } = scripted();
    let shownUpTo = 0;
    outgoing.isShown = (seq) => seq <= shownUpTo;
    const sending = outgoing.send('hello');
    expect(outgoing.messages).toMatchObject([{ content: 'hello', state: 'pending' }]);
    const sent = await sending;
    expect(outgoing.messages).toMatchObject([{ state: 'sent', result: { seq: sent.seq } }]);
    shownUpTo = sent.seq;
    outgoing.settle();
    expect(outgoing.messages).toEqual([]);
  });

  it('goes on with the same id after lost answers, limits and outages', async () => {
    const { outgoing, taken, calls } = scripted([
      { code: 'DISCONNECTED', taken: true },
      { code: 'RATE_LIMITED', retryAfterMs: 1 },
      { code: 'UNAVAILABLE' },
      { code: 'TIMEOUT' },
    ]);
    await expect(outgoing.send('once')).resolves.toMatchObject({ seq: 1, deduplicated: true });
    expect(taken).toHaveLength(1);
    expect(calls()).toBe(5);
  });

  it.each(['NOT_A_MEMBER', 'SLOW_MODE', 'VALIDATION_FAILED', 'IDEMPOTENCY_CONFLICT'] as const)(
    'fails for good with %s, and goes on with the next',
    async (code) => {
      const { outgoing, taken } = scripted([{ code }]);
      const first = outgoing.send('refused');
      const second = outgoing.send('fine');
      await expect(first).rejects.toMatchObject({ code });
      await second;
      expect(outgoing.messages).toMatchObject([{ content: 'refused', state: 'failed', error: { code } }]);
      expect(taken.map(({ content }) => content)).toEqual(['fine']);
      const id = outgoing.messages[0]?.clientMessageId ?? '';
      await outgoing.retry(id);
      expect(taken.map(({ content }) => content)).toEqual(['fine', 'refused']);
      expect(taken[1]?.clientMessageId).toBe(id);
      expect(outgoing.messages).toEqual([]);
    },
  );

  it('does not try a defect of the server for ever', async () => {
    const { outgoing, calls } = scripted(Array.from({ length: 20 }, () => ({ code: 'INTERNAL' as const })));
    await expect(outgoing.send('x')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(calls()).toBe(5);
  });

  it('sends nothing of its own bookkeeping, and takes no id twice at a time', async () => {
    const { outgoing, taken } = scripted();
    const first = outgoing.send('a', { clientMessageId: 'one', mentions: ['u2'] });
    await expect(outgoing.send('b', { clientMessageId: 'one' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await first;
    expect(taken).toEqual([{ roomId: 'r', content: 'a', clientMessageId: 'one', mentions: ['u2'] }]);
  });

  it('keeps the order of writing whatever is lost on the way, and doubles nothing', async () => {
    const failure = fc.option(
      fc.record({
        code: fc.constantFrom(
          'DISCONNECTED' as const,
          'TIMEOUT' as const,
          'UNAVAILABLE' as const,
          'RATE_LIMITED' as const,
        ),
        taken: fc.boolean(),
      }),
      { nil: undefined },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(failure, { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        async (failures, count) => {
          const { outgoing, taken } = scripted(failures);
          const contents = Array.from({ length: count }, (_, index) => String(index));
          const sent = await Promise.all(contents.map((content) => outgoing.send(content)));
          expect(taken.map(({ content }) => content)).toEqual(contents);
          expect(sent.map(({ seq }) => seq)).toEqual(contents.map((_, index) => index + 1));
          expect(outgoing.messages).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});
