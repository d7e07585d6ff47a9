import { verdictOf, type Row } from './row.js';
import { times } from './table.js';

const WIDTH = 860;
const LABELS = 340;
const RIGHT = 60;
const LINE = 42;
const BAR = 18;
const LEGEND = 34;
/** Title and scale of a panel. */
const HEAD = 50;
const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
/** All of them readable on white and on nearly black. */
const INK = '#7d8590';
const REACHED = '#2f81f7';
const MISSED = '#d9822b';
const LINES = '#7d859055';

/** Bars of one kind with their scale. */
interface Panel {
  title: string;
  rows: readonly Row[];
  marks: readonly number[];
  /** Where bars begin. */
  origin: number;
  x: (ratio: number) => number;
}

/** How many times the peer, one bar per row: what is better the longer, then what is better the shorter. */
export function ratioChart(all: readonly Row[]): string {
  // What is held to the product's own figure, or compared with itself, is no race.
  const rows = all.filter(({ peer, bounds }) => peer !== 'itself' && bounds?.of === 'ratio');
  const panels = [
    more(rows.filter(({ better }) => better === 'higher')),
    less(rows.filter(({ better }) => better === 'lower')),
  ].filter((panel) => panel.rows.length > 0);
  let y = LEGEND;
  const drawn = panels.map((panel) => {
    const lines = draw(panel, y);
    y += HEAD + panel.rows.length * LINE + 14;
    return lines;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="${FONT}" fill="${INK}">`,
    `<title>Parley against its peers: ratios of the medians</title>`,
    legend(),
    ...drawn.flat(),
    `</svg>`,
    '',
  ].join('\n');
}

/** From a half to hundreds of times: logarithmic, from 1x. */
function more(rows: readonly Row[]): Panel {
  const log = highestOf(rows).map(Math.log10);
  const low = Math.min(Math.log10(0.8), ...log) - 0.05;
  const high = Math.max(1, ...log);
  const marks = [0.1, 1, 10, 100, 1000].filter((mark) => Math.log10(mark) >= low && Math.log10(mark) <= high);
  const x = (ratio: number) => across((Math.log10(ratio) - low) / (high - low));
  return { title: 'More is better (logarithmic)', rows, marks, origin: 1, x };
}

/** From nothing to a little more than the peer: linear. */
function less(rows: readonly Row[]): Panel {
  const high = Math.max(1.5, ...highestOf(rows));
  const marks = high > 4 ? [0, 1, high] : [0, 0.5, 1, 1.5, 2, 3].filter((mark) => mark <= high);
  return {
    title: 'Less is better',
    rows,
    marks,
    origin: 0,
    x: (ratio) => across(ratio / high),
  };
}

function highestOf(rows: readonly Row[]): number[] {
  return rows.flatMap(({ ratio, bounds }) => [ratio.median, bounds?.must ?? 1]).filter((value) => value > 0);
}

function across(share: number): number {
  return LABELS + share * (WIDTH - LABELS - RIGHT);
}

function legend(): string {
  const swatch = (at: number, colour: string, text: string) =>
    `<rect x="${at}" y="8" width="12" height="12" rx="2" fill="${colour}"/>` +
    `<text x="${at + 18}" y="18" font-size="12">${text}</text>`;
  return [
    `<text x="4" y="18" font-size="13">Parley, times the peer</text>`,
    swatch(LABELS, REACHED, 'reached'),
    swatch(LABELS + 90, MISSED, 'missed'),
    `<line x1="${LABELS + 180}" y1="5" x2="${LABELS + 180}" y2="23" stroke="${INK}" stroke-width="2"/>`,
    `<text x="${LABELS + 190}" y="18" font-size="12">must be reached</text>`,
  ].join('');
}

function draw({ title, rows, marks, origin, x }: Panel, top: number): string[] {
  const first = top + HEAD;
  const bottom = first + rows.length * LINE;
  return [
    `<text x="4" y="${top + 34}" font-size="13" font-weight="600">${title}</text>`,
    ...marks.map(
      (mark) =>
        `<line x1="${at(x(mark))}" y1="${first - 6}" x2="${at(x(mark))}" y2="${bottom}" stroke="${mark === 1 ? INK : LINES}"/>` +
        `<text x="${at(x(mark))}" y="${top + 34}" text-anchor="middle" font-size="12">${Number(mark.toFixed(1))}x</text>`,
    ),
    ...rows.map((row, index) => bar(row, first + index * LINE + LINE / 2, { origin, x })),
  ];
}

function bar(row: Row, middle: number, { origin, x }: Pick<Panel, 'origin' | 'x'>): string {
  const { work, peer, ratio, bounds } = row;
  const [from, to] = [x(origin), x(ratio.median)].sort((a, b) => a - b) as [number, number];
  const must = x(bounds?.must ?? 1);
  // A comma separates what is done from how: the second line has room for that.
  const [what = '', ...how] = work.split(', ');
  const label = (text: string, dy: number, size: number) =>
    `<text x="4" y="${middle + dy}" font-size="${size}">${escaped(text)}</text>`;
  const tick = (half: number, stroke: string) =>
    `<line x1="${at(must)}" y1="${middle - half}" x2="${at(must)}" y2="${middle + half}" stroke="${stroke}" stroke-width="2"/>`;
  return [
    label(what, -3, 13),
    label([...how, `against ${peer}`].join(', '), 11, 11),
    `<rect x="${at(from)}" y="${middle - BAR / 2}" width="${at(Math.max(2, to - from))}" height="${BAR}" rx="2" fill="${verdictOf(row) === 'missed' ? MISSED : REACHED}"/>`,
    tick(14, INK),
    // On the bar the ink would not be seen.
    must > from && must < to ? tick(BAR / 2, '#ffffff') : '',
    `<text x="${at(Math.max(to, must) + 7)}" y="${middle + 5}" font-size="13" font-weight="600">${times(ratio.median)}</text>`,
  ].join('');
}

function at(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
