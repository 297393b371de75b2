import { EventEmitter } from 'node:events';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Host } from '../../client/api';

/** The parts of the editor's API that both follow: workspace folders, and changes of files. */
const editor = vi.hoisted(() => {
  const listeners = new Set<(change: unknown) => void>();
  const on = (listener: (change: never) => void) => {
    listeners.add(listener as (change: unknown) => void);
    return { dispose: () => listeners.delete(listener as (change: unknown) => void) };
  };
  class Emitter {
    private readonly told = new Set<(value: unknown) => void>();
    readonly event = (listener: (value: unknown) => void) => this.told.add(listener);
    fire = (value: unknown) => {
      for (const listener of this.told) listener(value);
    };
    dispose = () => this.told.clear();
  }
  const touched: ((uri: { fsPath: string }) => void)[] = [];
  const watcher = { onDidCreate() {}, onDidChange() {}, onDidDelete() {}, dispose() {} };
  const workspace = {
    isTrusted: true,
    workspaceFolders: [] as { uri: { fsPath: string } }[],
    onDidChangeWorkspaceFolders: on,
    createFileSystemWatcher: (pattern: string) => ({
      ...watcher,
      onDidCreate: (listener: (typeof touched)[0]) => pattern === '**/.distillery/**' && touched.push(listener),
    }),
    findFiles: async () => [],
  };
  const open = (...paths: string[]) => {
    const before = workspace.workspaceFolders;
    workspace.workspaceFolders = paths.map((fsPath) => ({ uri: { fsPath } }));
    const removed = before.filter(({ uri }) => !paths.includes(uri.fsPath));
    for (const listener of listeners) listener({ added: [], removed });
  };
  return { Emitter, workspace, open, touched };
});
vi.mock('../vscode', () => ({ EventEmitter: editor.Emitter, workspace: editor.workspace }));

const { Hosts } = await import('../hosts/hosts');
const { RunIndex } = await import('./run-index');

const [one, two] = [resolve('one'), resolve('two')];
const inner = join(one, 'inner');
afterEach(() => editor.open());

describe('a folder that leaves the workspace', () => {
  it('disconnects from its training host, which continues', () => {
    editor.open(one, two);
    const disposed: string[] = [];
    const hosts = new Hosts(
      (folder) =>
        Object.assign(new EventEmitter(), {
          state: 'running',
          dispose: () => disposed.push(folder),
        }) as unknown as Host,
      resolve('home'),
    );
    const [first, second] = [one, two].map((folder) => hosts.of(join(folder, '.distillery', 'runs', 'r')));
    const told: unknown[] = [];
    hosts.onDidReceive((one) => told.push(one));
    editor.open(two);
    expect(disposed).toEqual([join(one, '.distillery')]);
    expect(hosts.all()).toEqual([second]);
    expect(told).toEqual([{ host: first, kind: 'state', state: 'absent', before: 'running' }]);
    hosts.dispose();
    expect(disposed).toHaveLength(2);
  });

  it('removes its runs, except those that are also in another folder', () => {
    editor.open(one, inner, two);
    const index = new RunIndex();
    const runsOf = (folder: string) => join(folder, 'deep', '.distillery', 'runs');
    for (const folder of [inner, two])
      for (const touch of editor.touched) touch({ fsPath: join(runsOf(folder), 'r', 'run.json') });
    expect(index.folders()).toEqual(expect.arrayContaining([runsOf(inner), runsOf(two)]));
    editor.open(one);
    expect(index.folders()).toContain(runsOf(inner));
    expect(index.folders()).not.toContain(runsOf(two));
    editor.open(two);
    expect(index.folders()).not.toContain(runsOf(inner));
    index.dispose();
  });
});
