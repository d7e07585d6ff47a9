import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Each fsync takes that much longer: a disk that is slower than the one of this machine. */
const source = (delayMs: number) => `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void delay(void) {
  struct timespec left = {${Math.floor(delayMs / 1000)}, ${Math.round((delayMs % 1000) * 1e6)}};
  while (nanosleep(&left, &left) != 0) {}
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  delay();
  return real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  delay();
  return real(file);
}
`;

/** Compiles the library that slows fsync down; returns its path for LD_PRELOAD. */
export async function compileFsyncDelay(directory: string, delayMs: number): Promise<string> {
  const code = join(directory, 'fsync-delay.c');
  const library = join(directory, 'fsync-delay.so');
  await writeFile(code, source(delayMs));
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-O2', '-o', library, code, '-ldl']);
  return library;
}
