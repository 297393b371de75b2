import { setImmediate } from 'node:timers/promises';
import type { Pair, Result, RunHead } from '../../protocol/dashboard';
import { pairedDifference } from '../../runs/paired';
import { readEvaluation } from '../../runs/reading';
import type { EvaluationRecord } from '../../runs/records';
import { strongestBaseline } from '../../stages';

/**
 * Every tested student against the one that its run began with, against the run's strongest baseline, and against the
 * same stage of the first run, on the problems that both were tested on.
 * Bootstrapping takes a while: gives way between two pairs, and ends early when `stale` says so. A test whose answers
 * cannot be read is left out.
 */
export async function pairsOf(heads: readonly RunHead[], stale: () => boolean): Promise<Pair[]> {
  const known = new Map<string, EvaluationRecord[]>();
  const answers = (run: string, { stage, checkpoint }: Result) => {
    const key = `${run}\n${checkpoint ?? stage}`;
    if (!known.has(key)) known.set(key, evaluationOrNone(run, checkpoint ?? stage));
    return known.get(key)!;
  };
  const pairs: Pair[] = [];
  const begun = ({ start }: RunHead) => start && `${start.run}/${start.checkpoint}`;
  for (const [i, head] of heads.entries()) {
    const { folder: run, results } = head;
    const alike = begun(head) === begun(heads[0]);
    const base = results.find(({ stage }) => stage === 'base');
    const baseline = strongestBaseline(results);
    for (const result of results) {
      const { stage } = result;
      // What runs began with is compared only where they began alike: else it is no stage that both have.
      const comparable = i > 0 && (stage !== 'base' || alike);
      const first = comparable ? heads[0].results.find((other) => other.stage === stage) : undefined;
      for (const [against, other, home] of [
        ['base', stage === 'base' ? undefined : base, run],
        ['baseline', stage === baseline?.stage ? undefined : baseline, run],
        ['first', first, heads[0].folder],
      ] as const) {
        if (!other) continue;
        await setImmediate();
        if (stale()) return pairs;
        const difference = pairedDifference(answers(home, other), answers(run, result));
        if (difference) pairs.push({ run, stage, against, ...difference });
      }
    }
  }
  return pairs;
}

function evaluationOrNone(run: string, name: string): EvaluationRecord[] {
  try {
    return readEvaluation(run, name, () => {}); // told by the views of the evaluation itself
  } catch {
    return [];
  }
}
