import { CONTRACT_LIMITS } from '../../contract/limits.js';
import { AppError } from '../errors/app-error.js';

/** One value still to be looked at; `parent` spells the path when a problem is found, and only then. */
interface Step {
  value: unknown;
  depth: number;
  key: string | number;
  parent: Step | undefined;
}

/**
 * `__proto__` and `constructor` would reach prototypes; the other names every object inherits slip past
 * class-validator's whitelist (`hasOwnProperty`) or vanish in class-transformer (`toString`) without a word.
 */
const FORBIDDEN_KEYS = new Set(['prototype', ...Object.getOwnPropertyNames(Object.prototype)]);

/**
 * Refuses what no DTO should ever see, before any library that recurses does: input that is too deep, keys that
 * reach prototypes, text that Postgres or a client cannot hold, binary.
 */
export function checkPayload(root: unknown, name = '(payload)'): void {
  if (!isClean(root, 0)) findProblem(root, name);
}

/** Says yes or no, which is all there is to say of most payloads. It goes no deeper than is allowed. */
function isClean(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return problemOf(value) === undefined;
  if (depth >= CONTRACT_LIMITS.jsonDepth) return false;
  if (Array.isArray(value)) return value.every((item) => isClean(item, depth + 1));
  if (!isPlain(value)) return false;
  for (const key of Object.keys(value)) {
    if (FORBIDDEN_KEYS.has(key) || textProblem(key) !== undefined) return false;
    if (!isClean((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

/** Iterative: the depth of the input is not ours. */
function findProblem(root: unknown, name: string): void {
  const pending: Step[] = [{ value: root, depth: 0, key: name, parent: undefined }];
  for (let step = pending.pop(); step; step = pending.pop()) {
    const { value } = step;
    if (typeof value === 'object' && value !== null) open(value, step, pending);
    else {
      const problem = problemOf(value);
      if (problem !== undefined) throw AppError.invalid(pathOf(step), problem);
    }
  }
}

function open(value: object, step: Step, pending: Step[]): void {
  const depth = step.depth + 1;
  const refuse = (problem: string) => AppError.invalid(pathOf(step), problem);
  if (depth > CONTRACT_LIMITS.jsonDepth)
    throw refuse(`is nested deeper than ${String(CONTRACT_LIMITS.jsonDepth)} levels`);
  if (Array.isArray(value)) {
    for (const [key, item] of value.entries()) pending.push({ value: item, depth, key, parent: step });
    return;
  }
  if (!isPlain(value)) throw refuse('must not be binary');
  for (const [key, item] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) throw refuse('has a key that is not allowed');
    if (textProblem(key) !== undefined) throw refuse('has a key that is not valid text');
    pending.push({ value: item, depth, key, parent: step });
  }
}

function problemOf(value: unknown): string | undefined {
  if (typeof value === 'string') return textProblem(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'must be a finite number';
  return typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint'
    ? 'is not a JSON value'
    : undefined;
}

function textProblem(value: string): string | undefined {
  if (value.includes('\0')) return 'must not contain NUL';
  return value.isWellFormed() ? undefined : 'must be well-formed Unicode';
}

/** Buffers, Maps and other instances can only come from binary attachments. Query strings have no prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function pathOf(step: Step): string {
  const parts: (string | number)[] = [];
  for (let at = step; at.parent; at = at.parent) parts.push(at.key);
  return parts.length === 0 ? String(step.key) : parts.reverse().map(fieldName).join('.');
}

/** A key as it may be repeated to the client: the input is not echoed. */
export function fieldName(key: string | number): string {
  const name = String(key);
  return /^[A-Za-z0-9_.-]+$/.test(name) ? name.slice(0, 64) : '(unknown field)';
}
