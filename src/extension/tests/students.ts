import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../../errors';
import { pickStudent, studentTitle } from '../runs/students';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { readExperiment } from '../workspace/experiment-file';

const key = 'distillery.tests.student';

/**
 * The student under test: the chosen one, else the newest of the experiment's runs, else the experiment's initial
 * student.
 */
export class TestedStudent {
  constructor(private readonly services: Services) {}

  /** The chosen student, if its folder still exists. */
  get chosen(): string | undefined {
    const folder = this.services.context.workspaceState.get<string>(key);
    return folder && existsSync(folder) ? folder : undefined;
  }

  /** @throws UserError when there is no checkpoint yet */
  of(experiment: string | undefined): string {
    const file = experiment === undefined ? undefined : readExperiment(experiment);
    const student = this.chosen ?? this.newest(file?.runs) ?? file?.student;
    if (student) return student;
    throw new UserError('there is no student to test yet', {
      code: 'checkpoint',
      remedy: 'Run a curriculum first, or choose a checkpoint.',
    });
  }

  /** Asks for a student; true when one was chosen. */
  async choose(): Promise<boolean> {
    const newest = {
      icon: 'sync',
      label: 'The newest checkpoint',
      description: 'of the runs of each experiment',
    };
    const other = { icon: 'mortar-board', label: 'One student…', description: 'until another is chosen' };
    const picked = await vscode.window.showQuickPick([newest, other], {
      title: 'Student to Test',
      placeHolder: this.chosen ? `Now: ${studentTitle(this.chosen)}` : 'Now: the newest checkpoint',
    });
    if (!picked) return false;
    if (picked === newest) return this.set(undefined);
    const student = await pickStudent(this.services, 'Student to Test');
    return student ? this.set(student) : false;
  }

  private async set(folder: string | undefined): Promise<boolean> {
    await this.services.context.workspaceState.update(key, folder);
    return true;
  }

  private newest(runs: string | undefined): string | undefined {
    const { cache } = this.services.runs;
    for (const listing of this.services.runs.list()) {
      if (runs !== undefined && dirname(listing.folder) !== runs) continue;
      const last = cache.checkpoints(listing).find(({ folder }) => existsSync(folder));
      if (last) return last.folder;
    }
    return undefined;
  }
}
