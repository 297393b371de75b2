/**
 * npx tsx scripts/pin-downloads.ts: pins the packages that installations download by their hashes on PyPI. Run it when
 * a version changes.
 *
 * - src/backend-install/pinned-wheels.json: TensorFlow's wheels and uv's, one for each platform
 * - python/requirements.txt: the PyTorch engine's packages and their dependencies for every platform, by `uv` (on the
 *   PATH, or named by UV)
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newestTestedVersion, platforms } from '../src/backend-install/pypi';
import { pythonRange, requirements, uvVersion } from '../src/engine-install/pins';
import { packageRoot } from '../src/paths';

interface Page {
  releases: Record<string, { filename: string; size: number; digests: { sha256: string } }[]>;
}

/** The smallest wheel for each platform, as `wheelOf` chooses it. */
async function hashesOf(project: string, version: string): Promise<Record<string, string>> {
  const page = (await (await fetch(`https://pypi.org/pypi/${project}/json`)).json()) as Page;
  const files = page.releases[version].sort((a, b) => a.size - b.size);
  const chosen = Object.values(platforms).flatMap((fits) => files.find(({ filename }) => fits.test(filename)) ?? []);
  return Object.fromEntries(chosen.map(({ filename, digests }) => [filename, digests.sha256]));
}

function compile(wanted: readonly string[], out: string): void {
  const [major, minor] = pythonRange.oldest;
  const header =
    '# Written by scripts/pin-downloads.ts: the packages of the PyTorch engine with all that these need,\n' +
    '# for every platform, and the hashes of their files.\n';
  const { status, stdout, stderr } = spawnSync(
    process.env.UV ?? 'uv',
    [
      ...['pip', 'compile', '--universal', '--generate-hashes', '--no-header', '--no-annotate', '--no-config'],
      ...['--python-version', `${major}.${minor}`, '--default-index', 'https://pypi.org/simple', '-'],
    ],
    { input: wanted.join('\n'), encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(`uv says: ${stderr}`);
  writeFileSync(out, header + stdout);
}

async function main(): Promise<void> {
  const wheels = [
    ['tensorflow', newestTestedVersion],
    ['tensorflow-cpu', newestTestedVersion],
    ['uv', uvVersion],
  ] as const;
  const pinned: Record<string, Record<string, string>> = {};
  for (const [project, version] of wheels) pinned[`${project} ${version}`] = await hashesOf(project, version);
  const root = packageRoot();
  const json = join(root, 'src', 'backend-install', 'pinned-wheels.json');
  writeFileSync(json, `${JSON.stringify(pinned, null, 2)}\n`);
  compile(requirements({ accelerator: 'cuda', vllm: false }), join(root, 'python', 'requirements.txt'));
}

void main();
