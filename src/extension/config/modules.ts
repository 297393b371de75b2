/** The modules of rewards in code, as the editor's checks see them: their text is read, and nothing runs. */
import { type FindModule, modulesIn } from '../../config/code-module';
import { mayRead, trusted } from '../workspace/named-files';
import { pathFrom } from './kinds';

export const notInRestrictedMode =
  'This is code, which is not loaded in Restricted Mode: the component does not apply.';

/** Finds the modules of a config in `folder`; `root` is the folder of the experiment. */
export function findModules(folder: string, root?: string): FindModule {
  const find = modulesIn(folder, root);
  return (use) => {
    const unread = !mayRead(pathFrom(folder, use));
    const found = unread ? {} : find(use);
    if (trusted() || (found.problem && found.problem.severity !== 'warning')) return found;
    const remedy = 'Trust this workspace to use it: run "Workspaces: Manage Workspace Trust".';
    return { ...found, problem: { severity: 'warning', message: notInRestrictedMode, remedy } };
  };
}
