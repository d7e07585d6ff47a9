import type { DataSource, QueryRunner } from 'typeorm';
import type { SentStatement } from './statements.js';

/** One reading of a table in a plan that was carried out. */
export interface Scan {
  table: string;
  kind: string;
  index?: string;
  /** Rows it came upon, those thrown away included. */
  rows: number;
  /** How often it began anew. */
  loops: number;
  /** Pages it looked at: an index may be walked from end to end without a row to show for it. */
  pages: number;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

/**
 * Carries a statement out and tells what its plan read: the plan made for these values and, when it is prepared, the one
 * for any values that its connection may turn to.
 */
export async function scansOf(database: DataSource, statement: SentStatement): Promise<Scan[]> {
  const runner = database.createQueryRunner();
  try {
    const own = await explain(runner, statement.text, statement.values);
    if (statement.name === undefined) return own;
    await runner.query('SET plan_cache_mode = force_generic_plan');
    await runner.query(`PREPARE explained AS ${statement.text}`);
    const values = statement.values.map(literal).join(', ');
    const generic = await explain(runner, `EXECUTE explained(${values})`, []);
    await runner.query('DEALLOCATE explained');
    return [...own, ...generic];
  } finally {
    await runner.query('RESET plan_cache_mode');
    await runner.release();
  }
}

async function explain(runner: QueryRunner, text: string, values: unknown[]): Promise<Scan[]> {
  const [row] = (await runner.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values)) as {
    'QUERY PLAN': { Plan: PlanNode }[];
  }[];
  return row?.['QUERY PLAN'].flatMap(({ Plan }) => scans(Plan)) ?? [];
}

function scans(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(scans);
  const table = node['Relation Name'];
  if (table === undefined || !node['Node Type'].endsWith('Scan') || node['Actual Loops'] === 0) return below;
  const each =
    node['Actual Rows'] +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0);
  const index = node['Index Name'];
  const scan = {
    table,
    kind: node['Node Type'],
    ...(index !== undefined && { index }),
    rows: each * node['Actual Loops'],
    loops: node['Actual Loops'],
    pages: node['Shared Hit Blocks'] + node['Shared Read Blocks'],
  };
  return [scan, ...below];
}

/** As text of a statement, where a value cannot be bound. */
export function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return quoted(`{${value.map(element).join(',')}}`);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Date) return quoted(value.toISOString());
  throw new Error('Prepared statements with such values are not explained yet');
}

function element(item: unknown): string {
  if (item === null) return 'NULL';
  return JSON.stringify(item instanceof Date ? item.toISOString() : item);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
