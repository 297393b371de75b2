/** CONTRIBUTING.md is as the source is: its map, and the path from the experiment to the optimizer. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../src/paths';

const read = (path: string) => readFileSync(join(packageRoot(), path), 'utf8');
const text = read('CONTRIBUTING.md');
const tracked = execFileSync('git', ['ls-files'], { cwd: packageRoot(), encoding: 'utf8' }).split('\n');
const within = (title: string) => text.split(`\n## ${title}\n`)[1].split('\n## ')[0];
/** The folders of the map, from top to bottom. */
const listed = Array.from(within('Source layout').matchAll(/^\| ([^|]+) \|/gm), ([, first]) =>
  Array.from(first.matchAll(/`([^`*]+?)\/?`/g), ([, name]) => name),
).flat();

/** Of .dependency-cruiser.cjs. */
interface Rule {
  from: { path?: string };
  to: { pathNot?: string };
}

it('has a map with every folder, and no other', () => {
  const folders = tracked
    .map((path) => path.match(/^(?:src\/)?[^/]+(?=\/)/)?.[0])
    .filter((folder) => folder !== undefined && folder !== 'src' && folder !== 'src/testing');
  expect(listed.toSorted()).toEqual([...new Set(folders)].toSorted());
});

it('has a map in which folders import only from those below them', () => {
  const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: Rule[] };
  const layers = forbidden.filter(({ from }) => from.path?.startsWith('^src/') && from.path.endsWith('/'));
  expect(layers.length).toBeGreaterThan(25);
  for (const { from, to } of layers) {
    const [, layer] = from.path!.match(/^\^(.*)\/$/)!;
    const allowed = Array.from(to.pathNot!.matchAll(/(?<=[(|])[\w-]+(?=\/)/g), ([name]) => `src/${name}`);
    const below = listed.slice(listed.indexOf(layer));
    expect(below, layer).toEqual(expect.arrayContaining(allowed));
  }
});

it('leads from the experiment to the optimizer by functions that exist', () => {
  const stations = within('From the experiment to the optimizer').match(/^\d+\..*$/gm)!;
  expect(stations.length).toBeLessThanOrEqual(15);
  for (const station of stations) {
    const named = Array.from(station.matchAll(/`([\w/-]+\.ts)` `(?:(\w+)\.)?(\w+)`/g));
    expect(named, station).not.toEqual([]);
    for (const [, file, owner, name] of named) {
      const source = read(`src/${file}`);
      if (owner) expect(source, station).toContain(`class ${owner} `);
      expect(source, station).toMatch(
        new RegExp(owner ? `^ {2}(async )?${name}\\(` : `^[\\w ]*function ${name}\\(`, 'm'),
      );
    }
  }
});

it('names files that exist', () => {
  const paths = text.match(/(?<=`)(?:src|scripts|python|kernels|webview|types|schemas|test|docs)\/[\w./-]+(?=`)/g)!;
  expect(paths.length).toBeGreaterThan(50);
  for (const path of paths) {
    const name = path.replace(/\/$/, '');
    expect(
      tracked.some((file) => file === name || file.startsWith(`${name}/`)),
      path,
    ).toBe(true);
  }
});
