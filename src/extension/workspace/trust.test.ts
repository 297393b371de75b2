import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../paths';
import type { Services } from '../services';

/** The parts of the editor's API that a command needs: trust, messages with an answer, commands. */
const editor = vi.hoisted(() => ({
  workspace: { isTrusted: false, asRelativePath: (path: string) => path },
  commands: {
    registered: new Map<string, (...args: unknown[]) => unknown>(),
    called: [] as string[],
    registerCommand(id: string, run: (...args: unknown[]) => unknown) {
      editor.commands.registered.set(id, run);
      return { dispose() {} };
    },
    async executeCommand(id: string) {
      editor.commands.called.push(id);
    },
  },
  window: {
    shown: [] as string[][],
    async showErrorMessage(text: string, ...buttons: { title: string }[]) {
      editor.window.shown.push([text, ...buttons.map(({ title }) => title)]);
      return buttons.at(-1);
    },
  },
  CancellationError: class extends Error {},
}));
vi.mock('../vscode', () => editor);

const { trustedCommand } = await import('../commands/report');

const services = { log: { warn() {}, error() {} } } as unknown as Services;
const written: unknown[] = [];
trustedCommand(services, 'distillery.write', (what: unknown) => written.push(what));
const run = async (what: string) => {
  await editor.commands.registered.get('distillery.write')!(what);
  await new Promise(setImmediate); // the message is shown and answered meanwhile
};

describe('a command that writes', () => {
  beforeEach(() => {
    written.length = editor.window.shown.length = editor.commands.called.length = 0;
  });

  it('does nothing in Restricted Mode, and offers to manage trust', async () => {
    editor.workspace.isTrusted = false;
    await run('line');
    expect(written).toEqual([]);
    expect(editor.window.shown).toEqual([
      [
        expect.stringContaining('Distillery does not start or write anything in Restricted Mode.'),
        'Manage Workspace Trust',
      ],
    ]);
    expect(editor.commands.called).toEqual(['workbench.trust.manage']);
  });

  it('works in a trusted workspace', async () => {
    editor.workspace.isTrusted = true;
    await run('line');
    expect([written, editor.window.shown]).toEqual([['line'], []]);
  });
});

it('commands that ask for no trust only read, or change what the window shows', () => {
  const folder = join(packageRoot(), 'src', 'extension');
  const untrusted = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(
        /\b(?:command\(\s*services,|registerCommand\()\s*'distillery\.(\w+)'/g,
      ),
    ])
    .map(([, id]) => id);
  expect(untrusted.sort()).toEqual([
    ...['chooseAskedStudent', 'chooseRollouts', 'chooseTestedStudent', 'clearFailuresFilter', 'compareChains'],
    ...['compareRuns', 'copyPath', 'doctor', 'filterFailures', 'groupFailuresByCategory', 'groupFailuresByStep'],
    ...[
      'nextCase',
      'openAnswers',
      'openDashboard',
      'openExperiment',
      'previewMasking',
      'previewTokens',
      'previousCase',
      'refresh',
      'reveal',
    ],
    ...['revealInRuns', 'scoreRollouts', 'showActions', 'showFailures', 'showHostLog', 'showLog', 'showOlderRuns'],
    ...['sortFailures', 'stopAsking', 'toggleRendering'],
  ]);
});
