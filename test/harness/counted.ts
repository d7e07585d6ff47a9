import { setTimeout as pause } from 'node:timers/promises';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import type { TestServer } from './server.js';

const DEADLINE_MS = 15_000;

/** Resolves when the server has counted so many, e.g. `parley_push_total{result="sent"}`; asked again until it says so. */
export async function counted(server: TestServer, series: string, n: number): Promise<void> {
  const metrics = server.app.get(Metrics, { strict: false });
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const lines = (await metrics.text()).split('\n');
    if (lines.includes(`${series} ${String(n)}`)) return;
    if (performance.now() > deadline) {
      const name = series.split('{', 1)[0] ?? series;
      const found = lines.filter((line) => line.startsWith(name)).join('\n');
      throw new Error(`Waited for ${series} ${String(n)}; counted:\n${found}`);
    }
    await pause(50);
  }
}
