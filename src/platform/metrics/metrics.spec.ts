import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { countRequests } from './count-requests.js';
import { Metrics } from './metrics.js';

const value = async (metrics: Metrics, series: string) =>
  (await metrics.text())
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

describe('Metrics', () => {
  it('counts commands by result and times them', async () => {
    const metrics = new Metrics();
    metrics.command('message:send', 'ok', 3);
    metrics.command('message:send', 'ok', 30);
    metrics.command('message:send', 'RATE_LIMITED', 0.1);
    expect(await value(metrics, 'parley_commands_total{command="message:send",result="ok"}')).toBe('2');
    expect(await value(metrics, 'parley_commands_total{command="message:send",result="RATE_LIMITED"}')).toBe(
      '1',
    );
    expect(await value(metrics, 'parley_command_duration_seconds_count{command="message:send"}')).toBe('3');
    expect(
      await value(metrics, 'parley_command_duration_seconds_bucket{le="0.005",command="message:send"}'),
    ).toBe('2');
  });

  it('makes no series of what a client invents', async () => {
    const metrics = new Metrics();
    for (let index = 0; index < 100; index++) metrics.command(`evil:${String(index)}`, 'UNKNOWN_EVENT', 1);
    metrics.requestAnswered('PROPFIND', 404);
    expect(await value(metrics, 'parley_commands_total{command="unknown",result="UNKNOWN_EVENT"}')).toBe(
      '100',
    );
    expect(await value(metrics, 'parley_http_requests_total{method="other",status="404"}')).toBe('1');
    expect(await metrics.text()).not.toContain('evil');
  });

  it('follows connections, the write queue, delivery and limits', async () => {
    const metrics = new Metrics();
    metrics.connections('/chat', 1);
    metrics.connections('/chat', 1);
    metrics.connections('/chat', -1);
    metrics.traffic.queuedWrites = 7;
    metrics.batchWritten(40);
    metrics.delivered(2);
    metrics.throttled('sends');
    expect(await value(metrics, 'parley_connections{namespace="/chat"}')).toBe('1');
    expect(await value(metrics, 'parley_write_queue_depth')).toBe('7');
    expect(await value(metrics, 'parley_write_batch_size_bucket{le="50"}')).toBe('1');
    expect(await value(metrics, 'parley_commit_to_deliver_seconds_sum')).toBe('0.002');
    expect(await value(metrics, 'parley_throttled_total{scope="sends"}')).toBe('1');
  });

  it('keeps the applications of one process apart', async () => {
    const [one, two] = [new Metrics(), new Metrics()];
    one.traffic.queuedWrites = 3;
    expect(await value(two, 'parley_write_queue_depth')).toBe('0');
    expect(await two.text()).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(await one.text()).toContain('process_resident_memory_bytes');
  });

  it('counts a request when its answer is out', async () => {
    const metrics = new Metrics();
    const response = Object.assign(new EventEmitter(), { statusCode: 201 });
    const next = jest.fn();
    countRequests(metrics)(
      { method: 'POST' } as IncomingMessage,
      response as unknown as ServerResponse,
      next,
    );
    expect(next).toHaveBeenCalledTimes(1);
    response.emit('finish');
    expect(await value(metrics, 'parley_http_requests_total{method="POST",status="201"}')).toBe('1');
  });
});
