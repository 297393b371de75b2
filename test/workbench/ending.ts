import * as vscode from 'vscode';
import { until } from './until';

/** Takes the first item of the list that is open, or does `what` with it, again and again, until a command is done. */
export async function ending<T>(
  command: Thenable<T>,
  what = 'workbench.action.acceptSelectedQuickOpenItem',
): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  command.then(end, end);
  await until('the end', () => {
    if (!done) void vscode.commands.executeCommand(what);
    return done;
  });
  return command;
}
