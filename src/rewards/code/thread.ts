import { largestNumber } from '../../fields';

/**
 * The program of a thread that runs one module. It is a text, as the bundles have no file of their own for it. Messages
 * in: groups of {completions, context}. Messages out: {values: (number | null)[][], problems: Problem[]}.
 */
export const threadProgram = `
const { parentPort, workerData } = require('node:worker_threads');
const { pathToFileURL } = require('node:url');
const module = import(pathToFileURL(workerData.file).href);
module.catch(() => {}); // reported with the first message

parentPort.on('message', async (groups) => {
  const problems = new Map();
  const problem = (kind, message, stack) => {
    const known = problems.get(kind);
    if (known) known.count++;
    else problems.set(kind, { kind, count: 1, message: String(message), stack: String(stack ?? '') });
    return null;
  };
  const failed = (kind, error) =>
    problem(kind, error instanceof Error ? error.message : error, error instanceof Error ? error.stack : '');
  const checked = (value) => {
    if (value === null || (typeof value === 'number' && Math.abs(value) <= ${largestNumber})) return value;
    const shown = typeof value === 'number' ? value : typeof value;
    return problem(
      'value',
      'returned ' + shown + ' in place of null or a number from ${-largestNumber} to ${largestNumber}',
    );
  };
  const none = ({ completions }) => completions.map(() => null);
  const scoreAlone = (score) => async ({ completions, context }) => {
    const values = [];
    for (const completion of completions)
      try {
        values.push(checked(await score(completion, context)));
      } catch (error) {
        values.push(failed('throw', error));
      }
    return values;
  };
  const scoreTogether = (score) => async (group) => {
    try {
      const values = await score(group.completions, group.context);
      if (Array.isArray(values) && values.length === group.completions.length) return values.map(checked);
      problem('value', 'scoreGroup returned no list with a value for each completion');
    } catch (error) {
      failed('throw', error);
    }
    return none(group);
  };
  const functions = async () => {
    try {
      const { default: given, scoreGroup } = await module;
      // A CommonJS module is the default export as a whole.
      const together = scoreGroup ?? given?.scoreGroup;
      const alone = typeof given === 'function' ? given : given?.default;
      if (typeof together === 'function') return scoreTogether(together);
      if (typeof alone === 'function') return scoreAlone(alone);
      problem('import', 'has neither a default export that is a function nor one named scoreGroup');
    } catch (error) {
      failed('import', error);
    }
    return none;
  };
  const score = await functions();
  const values = [];
  for (const group of groups) values.push(await score(group));
  parentPort.postMessage({ values, problems: [...problems.values()] });
});
`;
