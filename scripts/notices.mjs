// Full texts of the licenses of third-party code in the .vsix: the packages that esbuild bundled (dist/packages.json).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Packages without a license file: the copyright holder according to LICENSE in the source repository. */
const holders = {
  '@microsoft/fast-element': 'Copyright (c) Microsoft Corporation. All rights reserved.',
  '@microsoft/fast-foundation': 'Copyright (c) Microsoft Corporation. All rights reserved.',
  '@microsoft/fast-web-utilities': 'Copyright (c) Microsoft Corporation. All rights reserved.',
  '@tensorflow/tfjs-core': 'Copyright Google LLC. All Rights Reserved.',
  '@tensorflow/tfjs-backend-cpu': 'Copyright Google LLC. All Rights Reserved.',
  'gearhash-jit': 'Copyright (c) the authors of gearhash-jit',
  tr46: 'Copyright (c) 2016 Sebastian Mayr',
  seedrandom: 'Copyright 2019 David Bau.',
};

/** One notice for each package folder, such as `node_modules/zod`; throws where a full text is missing. */
export function notices(packages) {
  return packages
    .toSorted()
    .map(notice)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** Folders of packages among the files that went into the bundles. */
export function packagesOf(files) {
  const folders = files.flatMap((file) => {
    const [, folder] = /(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    return folder ?? [];
  });
  return [...new Set(folders)].toSorted();
}

function notice(folder) {
  const about = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const { name, version, license, homepage = '' } = about;
  const texts = readdirSync(join(root, folder))
    .filter((file) => /^(?:licen[cs]e|copying|notices?)(?:[-.].*)?$/i.test(file))
    .map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
  if (texts.length === 0) texts.push(standard(name, license));
  return `${name} ${version} (${license}) ${homepage}\n\n${texts.join('\n\n')}\n`;
}

function standard(name, license) {
  const file = join(root, 'scripts', 'licenses', `${license}.txt`);
  if (!holders[name] || !existsSync(file))
    throw new Error(`${name} ships no license text: name its holder in scripts/notices.mjs, and add ${file}`);
  return `${holders[name]}\n\n${readFileSync(file, 'utf8').trim()}`;
}
