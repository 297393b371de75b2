/** The modules of rewards in code, as files: found, checked and read, never run. */
import { realpathSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors';
import { readSmallText } from '../lines';
import { isBelow, whatIs } from '../paths';
import type { Traits } from '../reward-components/component';
import type { CodeComponent } from './components';

/** A module by the path in a reward: its text, or what is wrong with it. */
export interface FoundModule {
  text?: string;
  problem?: { severity?: 'warning'; message: string; remedy: string; use?: string };
}

export type FindModule = (use: string) => FoundModule;

const endings = ['.mjs', '.js', '.cjs'];

/**
 * Finds modules from a file in `folder`. For an experiment in the folder `root`, they lie below one of the two; a
 * reward alone does not know the experiment.
 */
export function modulesIn(folder: string, root?: string): FindModule {
  return (use) => {
    const problem = pathProblem(use) ?? fileProblem(resolve(folder, use), root === undefined ? [] : [folder, root]);
    if (problem) return { problem };
    try {
      return { text: readSmallText(resolve(folder, use)) };
    } catch (error) {
      if (error instanceof UserError) return { problem: { message: error.message, remedy: error.remedy ?? '' } };
      throw error;
    }
  };
}

function pathProblem(use: string): FoundModule['problem'] {
  const plain = use.replaceAll('\\', '/');
  if (isAbsolute(use))
    return { message: `${use} is an absolute path.`, remedy: 'Give the path of the module relative to this file.' };
  if (plain !== use || !/^\.\.?\//.test(plain)) {
    const meant = /^\.\.?\//.test(plain) ? plain : `./${plain}`;
    return { message: 'The path of a module begins with ./ or ../.', remedy: `Write "${meant}".`, use: meant };
  }
  if (endings.includes(extname(use))) return undefined;
  const remedy = /ts$/.test(use) ? 'Compile it to .mjs, and name that file.' : 'Rename it to .mjs.';
  return { message: `A reward in code ends in ${endings.join(', ')}; ${basename(use)} does not.`, remedy };
}

function fileProblem(file: string, folders: readonly string[]): FoundModule['problem'] {
  const there = whatIs(file);
  if (there === undefined)
    return {
      message: `The file ${file} does not exist.`,
      remedy: 'Create it: docs/rewards.md shows a reward in code.',
    };
  if (there !== 'a file')
    return { message: `${file} is ${there}, not a file.`, remedy: 'Give the path of a JavaScript module.' };
  const real = realpathSync(file);
  if (folders.length === 0 || folders.some((folder) => isBelow(realpathSync(folder), real))) return undefined;
  return {
    message: `${real} lies outside of the folder of this file and of the experiment.`,
    remedy: 'Move the module beside the reward.',
  };
}

/** The traits that a module declares with literals; its text is not run. */
export function declaredTraits(text: string): Traits {
  const declared = (name: string) =>
    text.match(
      new RegExp(`^[ \\t]*(?:export\\s+const\\s+|(?:module\\.)?exports\\.)${name}\\s*=\\s*([^;\\n]+)`, 'm'),
    )?.[1];
  const highest = Number(declared('range')?.match(/,\s*([-+\d.eE]+)\s*\]/)?.[1] ?? Number.NaN);
  return {
    judgesAnswer: declared('judgesAnswer')?.trim() === 'true',
    needsGate: declared('needsGate')?.trim() === 'true',
    ...(Number.isFinite(highest) && { highest: () => highest }),
  };
}

/** The component with the absolute path of its module, and without links: as Node names it in stacks. */
export function withModule(component: CodeComponent, folder: string): CodeComponent {
  const file = resolve(folder, component.use);
  let real = file;
  try {
    real = join(realpathSync(dirname(file)), basename(file));
  } catch {
    // It is missing: reported where it is loaded.
  }
  return { ...component, use: real as CodeComponent['use'] };
}
