// Bundles the command line, the training host, the extension and the pages of its webviews into dist/.
// No native code is bundled: the addon is looked for in kernels/build at run time.
import { existsSync, readdirSync } from 'node:fs';
import { build } from 'esbuild';

const common = {
  outdir: 'dist',
  bundle: true,
  sourcemap: 'linked',
  legalComments: 'none',
  logLevel: 'warning',
};

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
};

/** Every folder of webview/ with a main.ts is a page. */
const pages = existsSync('webview')
  ? readdirSync('webview').filter((name) => existsSync(`webview/${name}/main.ts`))
  : [];

await Promise.all([
  build({
    ...node,
    entryPoints: { cli: 'src/cli/main.ts', host: 'src/host/main.ts', 'host-server': 'src/host/server.ts' },
  }),
  build({ ...node, entryPoints: { extension: 'src/extension/extension.ts' }, external: ['vscode'], minify: true }),
  build({
    ...common,
    entryPoints: Object.fromEntries(pages.map((name) => [`webview/${name}`, `webview/${name}/main.ts`])),
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    loader: { '.ttf': 'file' },
    assetNames: 'webview/[name]',
  }),
]);
