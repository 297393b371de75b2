import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import JSZip from 'jszip';

suite('The package', () => {
  let zip: JSZip;
  let names: string[];
  suiteSetup(async () => {
    zip = await JSZip.loadAsync(readFileSync(process.env.DISTILLERY_VSIX!));
    names = Object.keys(zip.files).filter((name) => !zip.files[name].dir);
  });
  const manifest = async () => JSON.parse(await zip.file('extension/package.json')!.async('string'));

  test('is under 12 MB', () => assert.ok(statSync(process.env.DISTILLERY_VSIX!).size < 12e6));

  test('has what the manifest names', async () => {
    const text = await zip.file('extension/package.json')!.async('string');
    const { main, icon, bin } = JSON.parse(text);
    const paths = [...text.matchAll(/"(?:\.\/)?((?:media|schemas|syntaxes|snippets)\/[^"]+)"/g)].map(
      (match) => match[1],
    );
    for (const path of [main, icon, bin.distillery, ...paths]) {
      assert.ok(names.includes(`extension/${path.replace(/^\.\//, '')}`), path);
    }
  });

  test('has the engine, its WebAssembly, the built-in experiment, and every page of the webviews', () => {
    for (const path of [
      'dist/cli.js',
      'dist/extension.js',
      'dist/host.js',
      'dist/host-server.js',
      'dist/tensorflow-probe.js',
      'dist/on-demand/csv-parse-sync.js',
      'dist/on-demand/hub.js',
      'dist/on-demand/hyparquet.js',
      'dist/on-demand/hyparquet-compressors.js',
      'dist/on-demand/node-sqlite3-wasm.js',
      'dist/on-demand/node-sqlite3-wasm.wasm',
      'dist/on-demand/openai.js',
      'dist/on-demand/picomatch.js',
      'dist/webview/chain-diff.js',
      'dist/webview/dashboard.js',
      'dist/third-party-notices.txt',
      'kernels/wasm/distillery.wasm',
      'kernels/wasm/distillery-relaxed.wasm',
      'examples/arithmetic/arithmetic.distillery.json',
      'examples/arithmetic/student/model.safetensors',
      'package.nls.json',
      'LICENSE.txt',
    ]) {
      assert.ok(names.includes(`extension/${path}`), path);
    }
  });

  test('has no source, test, map, run or development file', () => {
    const strange =
      /(?<!\.d)\.ts$|\.(tsx|map|c|h|vsix|lock|jsonl)$|node_modules|\/(src|test|scripts|bench|webview\/.*\/main)\/|\/\./;
    assert.deepEqual(
      names.filter((name) => strange.test(name)),
      [],
    );
  });

  test('every %string% of the manifest is there', async () => {
    const strings = JSON.parse(await zip.file('extension/package.nls.json')!.async('string'));
    const used = [...JSON.stringify(await manifest()).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1]);
    assert.ok(used.length > 20);
    assert.deepEqual(
      used.filter((key) => !(key in strings)),
      [],
    );
  });

  test("the readme's pictures are in it, and none is an SVG", async () => {
    const readme = await zip.file('extension/readme.md')!.async('string');
    for (const [, path] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
      if (/^data:image\/(png|gif|jpeg);base64,/.test(path)) continue;
      assert.match(path, /\.(png|gif|jpe?g)$/);
      assert.ok(/^https:/.test(path) || names.includes(`extension/${path}`), path);
    }
  });

  test('no secret, telemetry key or dependency folder', async () => {
    const { aiKey, extensionDependencies, enabledApiProposals } = await manifest();
    assert.deepEqual([aiKey, extensionDependencies, enabledApiProposals], [undefined, undefined, undefined]);
  });
});
