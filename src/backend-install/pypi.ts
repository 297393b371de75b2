/** Selects, downloads and verifies TensorFlow's wheel on PyPI, and unpacks the headers and the two libraries. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { checkSpace, guardDisk } from '../disk';
import { UserError } from '../errors';
import { fetchFile, fetchJson, type RemoteFile } from './fetch';
import pinned from './pinned-wheels.json';
import { downloadFolder, wheelFolder } from './places';
import type { InstallWatch } from './report';
import { folderSource, type TensorFlowSource, tried } from './source';
import { unzip } from './unzip';

const index = (process.env.DISTILLERY_PYPI || 'https://pypi.org').replace(/\/$/, '');

const files = z.array(
  z.object({ filename: z.string(), url: z.string(), size: z.number(), digests: z.object({ sha256: z.string() }) }),
);
const projectPage = z.object({ releases: z.record(z.string(), files) });

export interface Wheel extends RemoteFile {
  version: string;
}

/** Size of the unpacked headers and libraries. */
const unpackedBytes = { cpu: 1.1e9, gpu: 2.2e9 };

/**
 * The project with a wheel for this machine: `tensorflow` for a GPU and for arm64, else the smaller `tensorflow-cpu`.
 */
export function chooseWheel(options: { gpu: boolean; version?: string }, watch: InstallWatch): Promise<Wheel> {
  const project = options.gpu || process.arch === 'arm64' ? 'tensorflow' : 'tensorflow-cpu';
  return findWheel({ project, version: options.version ?? newestTestedVersion }, watch);
}

/** The wheel of a release for this machine. @throws UserError when there is none */
export async function findWheel(wanted: { project: string; version: string }, watch: InstallWatch): Promise<Wheel> {
  const url = `${index}/pypi/${wanted.project}/json`;
  const page = projectPage.safeParse(await fetchJson(url, `PyPI's page of ${wanted.project}`, watch));
  if (!page.success) throw new UserError(`${index} does not answer like PyPI`, { file: url, code: 'network' });
  return wheelOf(page.data, { ...wanted, url });
}

/** The last tested release, not the last published one. */
export const newestTestedVersion = `${tried.newest}.0`;

export const platforms: Record<string, RegExp> = {
  'linux-x64': /manylinux.*_x86_64\.whl$/,
  'linux-arm64': /manylinux.*_aarch64\.whl$/,
  'darwin-arm64': /macosx_.*_arm64\.whl$/,
  'darwin-x64': /macosx_.*_x86_64\.whl$/,
  'win32-x64': /win_amd64\.whl$/,
  'win32-arm64': /win_arm64\.whl$/,
};

/** SHA-256 of wheels, by release and file (scripts/pin-downloads.ts). */
const known: Record<string, Record<string, string> | undefined> = pinned;

/**
 * The libraries do not depend on the Python of the wheel, so the smallest one is chosen. For a pinned release only
 * pinned wheels are used, with the pinned hashes instead of PyPI's.
 */
export function wheelOf(
  page: z.infer<typeof projectPage>,
  { project, version, url }: { project: string; version: string; url: string },
): Wheel {
  const platform = platforms[`${process.platform}-${process.arch}`];
  const hashes = known[`${project} ${version}`];
  const fitting = (page.releases[version] ?? []).filter(
    ({ filename }) => platform?.test(filename) && (!hashes || filename in hashes),
  );
  const file = fitting.sort((a, b) => a.size - b.size)[0];
  if (!file)
    throw new UserError(`PyPI has no ${project} ${version} for ${process.platform} on ${process.arch}`, {
      code: 'tensorflow',
      remedy:
        `Name another release with --release (tested up to ${newestTestedVersion}), ` +
        'or use the embedded backend, which works everywhere.',
    });
  return {
    name: `${project} ${version}`,
    version,
    url: new URL(file.url, url).href,
    size: file.size,
    hash: { algorithm: 'sha256', digest: hashes?.[file.filename] ?? file.digests.sha256, encoding: 'hex' },
  };
}

/** Downloads a wheel and unpacks the needed files into the data folder; the wheel itself is deleted. */
export async function fetchWheel(wheel: Wheel, root: string, watch: InstallWatch): Promise<TensorFlowSource> {
  const folder = join(wheelFolder(root), wheel.name.replace(' ', '-'));
  const origin = `${wheel.name} from PyPI`;
  if (!existsSync(folder)) {
    const file = join(downloadFolder(root), new URL(wheel.url).pathname.split('/').pop() as string);
    const kept = 'the downloaded part is kept, and the next attempt resumes';
    guardDisk(file, kept, () => mkdirSync(dirname(file), { recursive: true }));
    checkSpace(dirname(file), bytesNeeded(wheel), 'DISTILLERY_TENSORFLOW');
    await fetchFile(wheel, file, watch);
    const draft = `${folder}.draft`;
    rmSync(draft, { recursive: true, force: true });
    await unzip(file, draft, wheelMemberPath, watch);
    renameSync(draft, folder);
    rmSync(file);
  }
  return { ...folderSource(join(folder, 'tensorflow'), origin), version: wheel.version };
}

/** The target path of a wheel member; null for the thousands that are not needed. */
export function wheelMemberPath(name: string): string | null {
  if (name.split('/').includes('..') || name.includes('\\')) return null;
  if (/^tensorflow\/libtensorflow_(cc|framework)(\.so\.2|\.2\.dylib)$/.test(name)) return name;
  if (/^tensorflow\/include\/(tensorflow\/(c|core\/platform|tsl)|tsl|xla\/tsl|external\/local_tsl)\/.*\.h$/.test(name))
    return name;
  return /^tensorflow[\w]*-[^/]*\.dist-info\/(METADATA|LICENSE)$/.test(name) ? name : null;
}

/** Disk space for downloading and unpacking the wheel. */
const bytesNeeded = ({ size }: Wheel): number => size + (size > 4e8 ? unpackedBytes.gpu : unpackedBytes.cpu);
