import { type BuildOptions, build } from 'esbuild';

/** Bundles programs for tests as `npm run build` does, but without splitting. */
export const bundle = (options: Pick<BuildOptions, 'entryPoints' | 'outfile' | 'outdir'>) =>
  build({
    ...options,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
