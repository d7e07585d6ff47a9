import { readdir } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

type EntityClass = abstract new (...args: never[]) => object;

const ENTITY_FILE = /\.entity\.[jt]s$/;
/** `src`, or `dist/src`. */
const SOURCES = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Every entity class of the platform and of every feature, found by file name, for tools that run without the application (the TypeORM CLI,
 * the drift check). The application does not use it: platform knows no feature.
 */
export async function findEntities(): Promise<EntityClass[]> {
  const found: EntityClass[] = [];
  const files = (await readdir(SOURCES, { recursive: true })).filter((name) => ENTITY_FILE.test(name)).sort();
  for (const file of files)
    found.push(...(await classesIn(`../../${file.replaceAll(sep, '/').replace(/[jt]s$/, 'js')}`)));
  return found;
}

async function classesIn(path: string): Promise<EntityClass[]> {
  const exported = (await import(path)) as Record<string, unknown>;
  return Object.values(exported).filter((value): value is EntityClass => typeof value === 'function');
}
