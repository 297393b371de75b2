import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backendNames } from '../config/backends';
import { packageRoot } from '../paths';

interface Manifest {
  capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string; category: string; enablement?: string }[];
    menus: Record<string, { command: string; when?: string; group?: string }[]>;
    viewsWelcome: { contents: string; when: string }[];
    configuration: { properties: Record<string, { scope?: string; default: unknown; enum?: unknown[] }> };
    walkthroughs: { steps: { media: { markdown: string } }[] }[];
  };
}
const read = (name: string) => readFileSync(join(packageRoot(), name), 'utf8');
const text = read('package.json');
const { contributes, capabilities } = JSON.parse(text) as Manifest;
const strings = JSON.parse(read('package.nls.json')) as Record<string, string>;
const commands = new Map(contributes.commands.map((one) => [one.command, one]));

describe('the manifest', () => {
  it('keeps every text in package.nls.json, and nothing there that it does not use', () => {
    const used = new Set([...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
    expect([...used].filter((key) => !(key in strings))).toEqual([]);
    expect(Object.keys(strings).filter((key) => !used.has(key))).toEqual([]);
    for (const { title, category } of commands.values()) {
      expect(title).toMatch(/^%.+%$/);
      expect(category).toBe('Distillery');
    }
  });

  it('names known commands only, in menus and welcome views', () => {
    const inMenus = Object.values(contributes.menus).flat();
    const unknown = inMenus.filter(({ command }) => command && !commands.has(command));
    expect(unknown).toEqual([]);
    const links = Object.values(strings).flatMap((string) =>
      [...string.matchAll(/\(command:(distillery\.[\w.]+)/g)].map(([, id]) => id),
    );
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((id) => !commands.has(id))).toEqual([]);
  });

  it('has every command of the palette in docs/editor.md', () => {
    const hidden = new Set(
      contributes.menus.commandPalette.flatMap(({ command, when }) => (when === 'false' ? command : [])),
    );
    const page = read('docs/editor.md');
    const titles = [...commands.values()]
      .filter(({ command }) => !hidden.has(command))
      .map(({ title }) => strings[title.slice(1, -1)]);
    expect(titles.length).toBeGreaterThan(40);
    expect(titles.filter((title) => !page.includes(title))).toEqual([]);
  });

  it('offers no command twice at one place', () => {
    for (const [place, entries] of Object.entries(contributes.menus)) {
      const keys = entries.map(({ command, when, group }) => `${place} ${command} ${when} ${group}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('starts nothing in Restricted Mode', () => {
    expect(capabilities.untrustedWorkspaces.supported).toBe('limited');
    const starting = [
      'runCurriculum',
      'runQuick',
      'runStage1',
      'runStage2',
      'runStage3',
      'resume',
      'evaluateCheckpoint',
    ];
    for (const id of [...starting, 'newExperiment', 'openExample', 'rewriteCase'])
      expect([id, commands.get(`distillery.${id}`)?.enablement]).toEqual([
        id,
        expect.stringContaining('isWorkspaceTrusted'),
      ]);
  });

  it('does not let workspaces choose executables', () => {
    expect(capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(
      expect.arrayContaining([
        'distillery.node',
        'distillery.backend',
        'distillery.engine.command',
        'distillery.tinker.url',
      ]),
    );
    const ofThePerson = ['distillery.trackers', 'distillery.trackers.online', 'distillery.trackers.python'];
    for (const key of [...capabilities.untrustedWorkspaces.restrictedConfigurations, ...ofThePerson])
      expect(contributes.configuration.properties[key]).toMatchObject({ scope: expect.stringMatching(/^machine/) });
  });

  it('offers every backend', () => {
    const { enum: offered } = contributes.configuration.properties['distillery.backend'];
    expect(offered).toEqual(expect.arrayContaining(['experiment', ...backendNames]));
    expect(offered).toHaveLength(backendNames.length + 1);
  });

  it('has the walkthrough it promises', () => {
    for (const { steps } of contributes.walkthroughs)
      for (const { media } of steps) expect(existsSync(join(packageRoot(), media.markdown))).toBe(true);
  });
});
