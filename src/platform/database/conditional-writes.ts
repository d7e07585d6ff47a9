import type { Statement } from './pipelined-transaction.js';

/** The condition of a write that may be made part of a statement which decides whether anything is written. */
export const ALWAYS = 'true /* or as decided */';

/** Made once for each name: the driver compares a text with the one it has prepared, which is quick when it is the same string. */
const texts = new Map<string, string>();

/**
 * One statement: `question` answers in one row, and the writes happen only where `condition`, on the columns of that row,
 * holds. They do not see each other's rows, and each of them says `ALWAYS` in its WHERE. The name is of these writes and no others.
 */
export function writeWhere<Row extends object>(
  name: string,
  question: Statement<Row>,
  condition: string,
  writes: readonly Statement[],
): Statement<Row> {
  return {
    name,
    text: texts.get(name) ?? remember(name, composed(question, condition, writes)),
    values: [question, ...writes].flatMap(({ values }) => values),
  };
}

function composed(question: Statement, condition: string, writes: readonly Statement[]): string {
  let parameters = question.values.length;
  const parts = writes.map(({ text, values }, index) => {
    if (!text.includes(ALWAYS))
      throw new Error(`A write of ${text.slice(0, 80)} would not wait for the condition`);
    const before = parameters;
    parameters += values.length;
    return `write_${String(index)} AS (${text
      .replaceAll(ALWAYS, `(SELECT ${condition} FROM answer)`)
      .replace(/\$(\d+)/g, (_, number) => `$${String(before + Number(number))}`)})`;
  });
  return `WITH answer AS MATERIALIZED (${question.text}), ${parts.join(', ')} SELECT * FROM answer`;
}

function remember(name: string, text: string): string {
  texts.set(name, text);
  return text;
}
