import { basename } from 'node:path';
import { type About, readAbout, writeAbout } from '../../runs/run-notes';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { named } from './arguments';
import { pickRun } from './pick';
import { trustedCommand } from './report';

/** A person's name, note, tags and star for a run. */
export function registerAboutRun(services: Services): vscode.Disposable {
  type Change = (about: About, run: string, given: unknown) => Promise<About | undefined>;
  const onRun = (id: `distillery.${string}`, title: string, change: Change) =>
    trustedCommand(services, id, async (argument?: unknown, given?: unknown) => {
      const none = { message: 'there are no runs in this workspace yet', remedy: 'Run a curriculum first.' };
      const run = await pickRun(services, named(argument), { title, none });
      const changed = run && (await change(readAbout(run), run, given));
      if (!run || !changed) return;
      writeAbout(run, changed);
      services.runs.refresh(run);
    });
  /** The text given with the command; without one, asks. */
  const text = (given: unknown, title: string, prompt: string, value = '') =>
    typeof given === 'string' ? Promise.resolve(given) : vscode.window.showInputBox({ title, prompt, value });

  return vscode.Disposable.from(
    onRun('distillery.starRun', 'Star or Unstar Run', async ({ starred }) => ({ starred: !starred })),
    onRun('distillery.renameRun', 'Rename Run', async ({ name }, run, given) => {
      const wanted = await text(
        given,
        'Rename Run',
        `Name of ${basename(run)}; if empty, its start time is shown`,
        name,
      );
      return wanted === undefined ? undefined : { name: wanted.trim().slice(0, 200) };
    }),
    onRun('distillery.noteRun', 'Note on Run', async ({ note }, run, given) => {
      const wanted = await text(given, 'Note on Run', `Shown with ${basename(run)}`, note);
      return wanted === undefined ? undefined : { note: wanted.trim().slice(0, 10_000) };
    }),
    onRun('distillery.tagRun', 'Tags of Run', async ({ tags }, _, given) => {
      const wanted = await text(given, 'Tags of Run', 'Separated by commas', tags?.join(', '));
      if (wanted === undefined) return undefined;
      const each = wanted.split(',').map((tag) => tag.trim().slice(0, 100));
      return { tags: [...new Set(each.filter(Boolean))].slice(0, 50) };
    }),
  );
}
