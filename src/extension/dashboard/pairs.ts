import { setImmediate } from 'node:timers/promises';
import type { PairedResults, RunHead } from '../../protocol/dashboard';
import type { StudentRow } from '../../results';
import { pairedDifference } from '../../runs/paired';
import { readEvaluation } from '../../runs/reading';
import type { EvaluationRecord } from '../../runs/records';
import { strongestBaseline } from '../../stages';

/**
 * Paired comparisons of every tested student, each on the problems that both were tested on: with the student that its
 * run began with, with the run's strongest baseline, and with the same stage of the first run.
 * Bootstrapping is slow: it yields to the event loop between pairs, and stops when `stale` returns true. A test whose
 * answers cannot be read is skipped.
 */
export async function pairsOf(heads: readonly RunHead[], stale: () => boolean): Promise<PairedResults[]> {
  const known = new Map<string, EvaluationRecord[]>();
  const answers = (run: string, { stage, checkpoint }: StudentRow) => {
    const key = `${run}\n${checkpoint ?? stage}`;
    if (!known.has(key)) known.set(key, evaluationOrNone(run, checkpoint ?? stage));
    return known.get(key)!;
  };
  const pairs: PairedResults[] = [];
  const startKey = ({ start }: RunHead) => start && `${start.run}/${start.checkpoint}`;
  for (const [i, head] of heads.entries()) {
    const { folder: run, results } = head;
    const alike = startKey(head) === startKey(heads[0]);
    const base = results.find(({ stage }) => stage === 'base');
    const baseline = strongestBaseline(results);
    for (const result of results) {
      const { stage } = result;
      // The initial students are compared only if both runs began alike; otherwise they are not the same stage.
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
    return readEvaluation(run, name, () => {}); // the views of the evaluation report it
  } catch {
    return [];
  }
}
