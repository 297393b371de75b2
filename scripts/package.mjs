// Packages the extension:
//   node scripts/package.mjs [--target linux-x64] [--out file.vsix] [--repository https://...]
// Without --target: for every platform, with all native kernels in kernels/build (other platforms use WebAssembly).
// --repository: base address of the README's pictures and links in the marketplace. Warnings of vsce are errors.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { notices } from './notices.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { name, version } = require('../package.json');

const { values } = parseArgs({
  options: { target: { type: 'string' }, out: { type: 'string' }, repository: { type: 'string' } },
});
const platform = values.target ? `-${values.target}` : '';
const out = resolve(values.out ?? join(root, `${name}${platform}-${version}.vsix`));

run('scripts/build-addon.mjs', '--if-possible');
run('esbuild.mjs');
const packages = JSON.parse(readFileSync(join(root, 'dist/packages.json'), 'utf8'));
writeFileSync(join(root, 'dist/third-party-notices.txt'), notices(packages));
writeFileSync(join(root, 'dist/readme.md'), readme());
rmSync(out, { force: true });
const { status, output } = vsce();
if (status !== 0 || /warning/i.test(output)) {
  console.error(output);
  process.exit(1);
}
console.log(`${out} (${(statSync(out).size / 1e6).toFixed(1)} MB)`);

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function vsce() {
  const { repository: url, target } = values;
  const links = url
    ? ['--baseContentUrl', `${url}/blob/HEAD`, '--baseImagesUrl', `${url}/raw/HEAD`]
    : ['--no-rewrite-relative-links'];
  const args = [
    ...['package', '--no-dependencies', '--allow-missing-repository', '--out', out],
    ...['--readme-path', 'dist/readme.md'],
    ...links,
    ...(target ? ['--target', target] : []),
  ];
  const program = join(dirname(require.resolve('@vscode/vsce/package.json')), 'vsce');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: root, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/**
 * The README for the Extensions view, with embedded pictures, as an installed extension has no address for them.
 */
function readme() {
  const media = join(root, 'media');
  return readFileSync(join(media, 'readme.md'), 'utf8').replace(
    /\]\(([\w-]+\.png)\)/g,
    (_, file) => `](data:image/png;base64,${readFileSync(join(media, file)).toString('base64')})`,
  );
}
