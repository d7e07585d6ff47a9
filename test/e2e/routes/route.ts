import { integer, withEdges, type Accepts, type Field } from '../../harness/hostile.js';

export type Fields = Record<string, Field>;

/** What one route reads. Absent: nothing of that kind. */
export interface Route {
  path?: Fields;
  query?: Fields;
  body?: Fields;
  /** The administrator makes the requests, not Alice. */
  byAdministrator?: true;
  /** The status of the valid example, where that is refused or leads elsewhere. */
  status?: number;
  /** Answers pages for people, not `application/problem+json`. */
  html?: true;
  /** Ends the session of the request: not among those every request is made with. */
  endsSession?: true;
}

/** By `METHOD /path`, as Express knows it. */
export type Routes = Record<string, Route>;

/** In a query everything is text. */
export function digits(min: number, max: number): Accepts {
  const number = integer(min, max);
  return withEdges(
    (value) => typeof value === 'string' && /^\d{1,15}$/.test(value) && number(Number(value)),
    number.edges!.map(String),
  );
}

export const anyText = (max: number): Accepts =>
  withEdges(
    (value) => typeof value === 'string' && value.length >= 1 && value.length <= max,
    ['', 'a', 'a'.repeat(max), 'a'.repeat(max + 1)],
  );
