/** The load generator: a process of its own that takes orders over the channel to its parent. */
import type { Answer, Order } from './orders.js';
import { Side } from './side.js';

const sides = new Map<string, Side>();

process.on('message', (order: Order) => {
  obey(order).then(tell, (error: unknown) =>
    tell({ tells: 'problem', problem: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function obey(order: Order): Promise<Answer> {
  switch (order.does) {
    case 'connect': {
      const side = new Side(order.port, order.wire);
      sides.set(order.side, side);
      await side.connect(order.clients);
      return { tells: 'ready' };
    }
    case 'run':
      return { tells: 'done', measured: await named(order.side).measure(order.spec, tell) };
    case 'disconnect':
      sides.get(order.side)?.leave();
      sides.delete(order.side);
      return { tells: 'ready' };
  }
}

function named(name: string): Side {
  const side = sides.get(name);
  if (!side) throw new Error(`Nobody is connected to ${name}`);
  return side;
}

function tell(answer: Answer): void {
  process.send?.(answer);
}
