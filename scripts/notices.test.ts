import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../src/paths';
import { notices, packagesOf } from './notices.mjs';

const list = join(packageRoot(), 'dist', 'packages.json');

/** The packages in the bundles of the .vsix. */
function bundled(): string[] {
  if (!existsSync(list)) spawnSync(process.execPath, ['esbuild.mjs'], { cwd: packageRoot(), stdio: 'inherit' });
  return JSON.parse(readFileSync(list, 'utf8'));
}

it('the notices have the full license of every package in the bundles, fonts included', () => {
  const packages = bundled();
  for (const name of [
    '@tensorflow/tfjs-core',
    '@tensorflow/tfjs-backend-cpu',
    '@vscode/codicons',
    'zod',
    'gearhash-jit',
  ])
    expect(packages).toContain(`node_modules/${name}`);
  const parts = notices(packages).split(/\n-{80}\n\n/);
  expect(parts).toHaveLength(packages.length);
  const known = [
    /Permission is hereby granted, free of charge/,
    /TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION/,
    /Creative Commons Attribution 4\.0/i,
    /Redistribution and use in source and binary forms/i,
    /Permission to use, copy, modify, and\/or distribute this software/,
  ];
  for (const [i, part] of parts.entries()) {
    expect(
      known.some((text) => text.test(part)),
      `${packages[i]}: no license text that is known`,
    ).toBe(true);
    expect(part, packages[i]).toMatch(/copyright|creative commons/i);
  }
});

it('the bill of materials lists the same packages, and npm audit --omit dev covers them', () => {
  const packages = bundled();
  const { status, stdout } = spawnSync(process.execPath, ['scripts/sbom.mjs'], {
    cwd: packageRoot(),
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const purls: string[] = JSON.parse(stdout).components.map(({ purl }: { purl: string }) => decodeURIComponent(purl));
  const read = (...path: string[]) => JSON.parse(readFileSync(join(packageRoot(), ...path), 'utf8'));
  const versions = packages.map((folder) => read(folder, 'package.json'));
  const expected = versions.map(({ name, version }) => `pkg:npm/${name}@${version}`);
  expect(purls.sort()).toEqual([...new Set(expected)].sort());
  const locked = read('package-lock.json').packages;
  expect(packages.filter((folder) => locked[folder].dev || locked[folder].devOptional)).toEqual([]);
});

it('packages are found among files however they are nested', () => {
  const files = [
    'src/a.ts',
    'node_modules/@a/b/x.js',
    'node_modules/@a/b/node_modules/c/y.js',
    'node_modules/d/e/f.ttf',
  ];
  expect(packagesOf(files)).toEqual(['node_modules/@a/b', 'node_modules/@a/b/node_modules/c', 'node_modules/d']);
});
