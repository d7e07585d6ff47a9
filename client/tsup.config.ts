import { defineConfig } from 'tsup';

/** ESM and CommonJS with types, the wire contract bundled in; socket.io-client stays a dependency. */
export default defineConfig({
  entry: ['src/index.ts', 'src/contract.ts'],
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  // tsup's type bundler sets `baseUrl`, which TypeScript 6 calls deprecated.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: 'tsconfig.json',
  sourcemap: true,
  clean: true,
});
