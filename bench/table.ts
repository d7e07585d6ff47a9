import { verdictOf, type Row } from './row.js';
import type { Spread } from './statistics.js';

/** The ratios, as Markdown. */
export function ratioTable(rows: readonly Row[]): string {
  return table(
    [
      'work',
      'peer',
      'product',
      'peer reaches',
      'ratio (range)',
      'must reach',
      'aim',
      'result',
      'generator CPU',
      'note',
    ],
    rows.map((row) => [
      row.work,
      row.peer === 'itself' ? row.peer : `\`${row.peer}\``,
      `${figure(row.product.median)} ${row.unit}`,
      `${figure(row.peerValue.median)} ${row.unit}`,
      ratio(row.ratio),
      bound(row, row.bounds?.must),
      bound(row, row.bounds?.aim),
      verdictOf(row) ?? '',
      row.generatorCpu ? `${percent(row.generatorCpu.product)} / ${percent(row.generatorCpu.peer)}` : '',
      [...(row.better === 'lower' ? ['lower is better'] : []), ...row.notes].join('; '),
    ]),
  );
}

/** What it cost, as Markdown: microseconds of CPU, product against peer. A run is in it once, however many figures it gave. */
export function costTable(rows: readonly Row[]): string {
  const measured = rows.filter((row, index) => rows.findIndex(({ runs }) => runs === row.runs) === index);
  return table(
    ['work', 'server, per ack', 'server, per delivery', 'Postgres, per ack'],
    measured.flatMap(({ work, cost }) => {
      if (!cost) return [];
      const both = (name: keyof typeof cost.peer) =>
        `${figure(cost.product[name])} / ${figure(cost.peer[name])}`;
      return [[work, both('serverPerAck'), both('serverPerDelivery'), both('postgresPerAck')]];
    }),
  );
}

export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}

function ratio({ median, min, max }: Spread): string {
  return `**${times(median)}** (${times(min)} to ${times(max)})`;
}

export function times(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)}x`;
}

function bound({ better, bounds, unit }: Row, value: number | undefined): string {
  if (!bounds || value === undefined) return '';
  return `${better === 'higher' ? '>=' : '<='} ${value}${bounds.of === 'ratio' ? 'x' : ` ${unit}`}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function table(head: string[], lines: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
