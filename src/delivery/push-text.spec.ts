import type { PushPayload } from '../contract/rest.js';
import { pushText } from './push-text.js';

describe('pushText', () => {
  const payload: PushPayload = {
    id: 'id',
    kind: 'custom',
    title: 'Title',
    body: 'Body',
    count: 1,
    unread: 1,
  };

  it('leaves what fits as it is', () => {
    expect(JSON.parse(pushText(payload))).toEqual(payload);
  });

  it('shortens the body between characters', () => {
    const { body, ...rest } = JSON.parse(pushText({ ...payload, body: '😀'.repeat(2000) })) as PushPayload;
    expect(rest).toEqual({ id: 'id', kind: 'custom', title: 'Title', count: 1, unread: 1 });
    expect(body).toBe(`${'😀'.repeat(499)}…`);
  });

  it('gives up the link before it gives up the title, and always fits', () => {
    const url = `https://example.com/${'x'.repeat(2900)}`;
    const without = JSON.parse(pushText({ ...payload, url })) as PushPayload;
    expect(without).toEqual(payload);
    const most = pushText({ ...payload, title: '"😀'.repeat(1000), body: '\\'.repeat(3000), url });
    expect(Buffer.byteLength(most)).toBeLessThanOrEqual(3000);
  });
});
