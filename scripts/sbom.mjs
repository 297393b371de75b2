// Prints the bill of materials (CycloneDX) of the third-party code in the bundles (dist/packages.json): npm run sbom
// npm's own `--omit dev` would leave out packages that development tools use as well.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

const shipped = new Set(
  read('dist', 'packages.json').map((folder) => {
    const { name, version } = read(folder, 'package.json');
    return `${name}@${version}`;
  }),
);
const npm = spawnSync('npm sbom --sbom-format cyclonedx --package-lock-only', {
  cwd: root,
  shell: true,
  encoding: 'utf8',
  maxBuffer: 64 << 20,
});
if (npm.status !== 0) throw new Error(`npm sbom failed: ${npm.stderr}`);
const bill = JSON.parse(npm.stdout);
const kept = new Set([...shipped, bill.metadata.component['bom-ref']]);
bill.components = bill.components.filter((one) => shipped.has(one['bom-ref']));
bill.dependencies = bill.dependencies.flatMap(({ ref, dependsOn }) =>
  kept.has(ref) ? [{ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }] : [],
);
const missing = [...shipped].filter((ref) => !bill.components.some((one) => one['bom-ref'] === ref));
if (missing.length > 0) throw new Error(`not in package-lock.json: ${missing.join(', ')}. Run npm ci.`);
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
