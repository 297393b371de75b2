// Bundles the command line, the training host, the extension and the pages of its webviews into dist/.
// No native code is bundled: the addon is searched for in kernels/build at run time.
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { packagesOf } from './scripts/notices.mjs';

const common = {
  outdir: 'dist',
  bundle: true,
  sourcemap: 'linked',
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Large packages that are rarely needed. They become separate files, which are loaded by a dynamic import, or by the
 * first call of one of the functions named here (an object's as `object.function`).
 */
const onDemand = {
  openai: [],
  '@huggingface/hub': [],
  'apache-arrow': ['tableFromIPC', 'compressionRegistry.set'],
  'csv-parse/sync': ['parse'],
  hyparquet: ['parquetMetadata', 'parquetSchema', 'snappyUncompress'],
  'node-sqlite3-wasm': [],
  'hyparquet-compressors': ['decompressLz4', 'decompressLz4Raw', 'decompressZstd'],
  picomatch: ['default'],
};
const fileOf = (name) => `on-demand/${name.replace(/^@.*\//, '').replaceAll('/', '-')}`;
const apart = {
  name: 'on-demand',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[@\w]/ }, ({ path }) =>
      Object.hasOwn(onDemand, path) ? { path, namespace: 'on-demand' } : undefined,
    );
    onResolve({ filter: /^\./, namespace: 'on-demand' }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: 'on-demand' }, ({ path }) => {
      const file = `require('./${fileOf(path)}.js')`;
      const functions = onDemand[path].map((name) => {
        if (name === 'default') return `export default (...args) => ${file}(...args);`;
        const [first, method] = name.split('.');
        const call = `(...args) => ${file}.${name}(...args)`;
        return `export const ${first} = ${method ? `{ ${method}: ${call} }` : call};`;
      });
      return { contents: functions.join('\n') || `module.exports = ${file};` };
    });
  },
};

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  // Nothing here runs in a browser, and VS Code's extension host logs an error when a library checks for one.
  define: { navigator: 'undefined' },
  plugins: [apart],
};

/**
 * `vscode` through one module for all: otherwise esbuild copies its hundreds of properties for each importing module,
 * 40 ms in all.
 */
const vscodeOnce = {
  name: 'vscode',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vscode$/ }, ({ path, namespace }) =>
      namespace === 'once' ? { path, external: true } : { path, namespace: 'once' },
    );
    onLoad({ filter: /./, namespace: 'once' }, () => ({ contents: "export * from 'vscode'" }));
  },
};

/** Every folder of webview/ with a main.ts is a page. */
const pages = existsSync('webview')
  ? readdirSync('webview').filter((name) => existsSync(`webview/${name}/main.ts`))
  : [];

const builds = await Promise.all([
  build({
    ...node,
    entryPoints: {
      cli: 'src/cli/main.ts',
      host: 'src/host/main.ts',
      'host-server': 'src/host/server.ts',
      'tensorflow-probe': 'src/kernels/tensorflow/probe-script.ts',
    },
  }),
  build({
    ...node,
    plugins: [apart, vscodeOnce],
    entryPoints: { extension: 'src/extension/extension.ts' },
    minify: true,
  }),
  build({
    ...node,
    plugins: [],
    entryPoints: Object.fromEntries(Object.keys(onDemand).map((name) => [fileOf(name), name])),
    minify: true,
  }),
  build({
    ...common,
    entryPoints: {
      ...Object.fromEntries(pages.map((name) => [`webview/${name}`, `webview/${name}/main.ts`])),
      'webview/math': 'webview/math/math.ts',
    },
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    // Chromium uses the first font of each list, a .woff2.
    loader: { '.ttf': 'file', '.woff2': 'file', '.woff': 'empty' },
    assetNames: 'webview/[name]',
  }),
]);

// It loads its WebAssembly from its own folder.
mkdirSync('dist/on-demand', { recursive: true });
copyFileSync('node_modules/node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm', 'dist/on-demand/node-sqlite3-wasm.wasm');

// Lists the third-party code in the bundles, for their licenses.
const inputs = builds.flatMap(({ metafile }) =>
  Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  ),
);
writeFileSync('dist/packages.json', `${JSON.stringify(packagesOf(inputs), null, 2)}\n`);
