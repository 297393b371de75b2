/** Output of `teach`: plan, progress, result. */
import type { WrittenChains } from '../../teachers/chains';
import { costOf, type Prices } from '../../teachers/cost';
import { TeacherFault } from '../../teachers/faults';
import type { GenerationOutcome, GenerationProgress } from '../../teachers/generate';
import type { RequestPlan } from '../../teachers/plan';
import { shortPath } from '../inputs/places';
import { clip, clock, percent, plural, short } from '../terminal/format';
import { clipLine, pc, type Screen } from '../terminal/terminal';

interface TeachSettings {
  keyFrom?: string;
  out: string;
  journal: string;
  budget?: number;
}

export function planText(plan: RequestPlan, { keyFrom, out, journal, budget }: TeachSettings): string {
  const { requests, cached, expected, most, cost } = plan;
  const left = requests - cached;
  const rows: [string, string | undefined][] = [
    ['to', `${plan.endpoint}, model ${plan.model}`],
    [
      'key',
      keyFrom
        ? `from ${keyFrom}${plan.endpoint.startsWith('http:') ? ', over a connection that is not encrypted' : ''}`
        : 'none',
    ],
    [
      'what',
      `${plural(plan.questions, 'question')}, in ` +
        `${plural(requests, 'request')}${cached > 0 ? `; ${cached} answered before, ${left} to send` : ''}`,
    ],
    [
      'tokens',
      left > 0
        ? `about ${short(expected.prompt)} in, ${short(expected.completion)} ` +
          `out${plan.measured ? '' : ' (a guess)'}; at most ${short(most.completion)} out`
        : undefined,
    ],
    [
      'cost',
      cost && left > 0
        ? `about ${money(cost.expected)}, at most ` +
          `${money(cost.most)}${budget === undefined ? '' : `; the budget ends it at ${money(budget)}`}`
        : undefined,
    ],
    ['output', shortPath(out)],
    ['replies', shortPath(journal)],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [`${pc.dim(name.padEnd(9))}${text}`]));
  if (plan.example !== undefined)
    lines.push(
      `${pc.dim('sent')}     the text of each question and nothing else from the row; the first request is:`,
      ...quote(plan.example),
    );
  return `${lines.join('\n')}\n`;
}

const quote = (text: string) => text.split('\n').map((line) => pc.dim(`         │ ${clip(line, 300)}`));

const money = (value: number) => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));

/** One redrawn line on a terminal; in a log, a line every half minute. */
export function showTeaching(screen: Screen, silent: boolean) {
  const started = performance.now();
  let reportedAt = started;
  let last: GenerationProgress | undefined;
  let drawn = false;
  const clear = () => {
    if (drawn) screen.clearLine();
    drawn = false;
  };
  const draw = () => {
    if (!last || silent) return;
    const text = progressText(last, (performance.now() - started) / 1000);
    if (screen.isTTY) {
      clear();
      screen.write(clipLine(text, (screen.columns ?? 120) - 1));
      drawn = true;
    } else if (performance.now() - reportedAt >= 30_000) {
      screen.write(`${text}\n`);
      reportedAt = performance.now();
    }
  };
  const timer = silent ? undefined : setInterval(draw, screen.isTTY ? 500 : 5000);
  return {
    progress(progress: GenerationProgress) {
      last = progress;
    },
    print(text: string) {
      if (silent) return;
      clear();
      screen.write(`${pc.yellow(text)}\n`);
    },
    end() {
      clearInterval(timer);
      clear();
    },
  };
}

function progressText(progress: GenerationProgress, seconds: number): string {
  const { done, total, cached, correct, failed, underWay, usage, waiting } = progress;
  const asked = done - cached;
  const left = total - done - failed;
  return [
    `${done}/${total}`,
    done > 0 ? `${percent(correct / done, 0)} right` : '',
    failed > 0 ? `${failed} failed` : '',
    `${underWay} in progress`,
    `${short(usage.completion)} tokens`,
    asked > 0 && left > 0 ? `ETA ${clock((seconds / asked) * left)}` : '',
    waiting && waiting.until > Date.now()
      ? `waiting ${clock((waiting.until - Date.now()) / 1000)}: ${waiting.reason}`
      : '',
  ]
    .filter(Boolean)
    .join('  ');
}

export function resultText(
  {
    out,
    rows,
    solved,
    complete,
    questions,
    ungrounded,
    kept,
    others,
    failures,
    without,
  }: WrittenChains & Pick<GenerationOutcome, 'failures' | 'without'> & { out: string },
  { usage, done, total, correct, cut }: GenerationProgress,
  ended: GenerationOutcome['ended'],
  prices?: Prices,
): string {
  const why = { stopped: 'Stopped.', budget: 'Ended by the budget.' };
  const lines = [
    ended === undefined
      ? ''
      : pc.yellow(ended instanceof TeacherFault ? 'Stopped, because the teacher kept failing.' : why[ended]),
    kept === undefined ? '' : pc.yellow(`${shortPath(out)} is unchanged: it has ${plural(kept, 'row')}.`),
    `${pc.bold(plural(rows, 'chain'))}${kept === undefined ? ` in ${shortPath(out)}` : ''}: ` +
      `${solved} of ${plural(questions, 'question')} solved, ` +
      `${percent(correct / Math.max(done, 1))} of ${done} replies right`,
    ungrounded.count > 0
      ? pc.yellow(
          `${plural(ungrounded.count, 'right chain')} rejected, as the steps do not lead to the answer: ` +
            ungrounded.first.map(({ problemId, fault }) => `${problemId} (${fault})`).join(', ') +
            (ungrounded.count > ungrounded.first.length ? ', ...' : ''),
        )
      : '',
    others > 0 && kept === undefined ? `${plural(others, 'row')} of other questions stay in the file.` : '',
    pc.dim(
      `${short(usage.prompt)} tokens in, ${short(usage.completion)} ` +
        `out${prices ? `, ${money(costOf(usage, prices))} spent now` : ''}`,
    ),
    without.length > 0 ? pc.yellow(`The endpoint does not accept ${without.join(', ')} and uses its own default.`) : '',
    cut > 0
      ? pc.yellow(
          `${cut} of ${done} replies were cut off at --max-tokens and cannot be used. A larger value repeats all.`,
        )
      : '',
    complete < questions
      ? `${total - done} replies are missing. Run the same command again: only these are requested.`
      : '',
    ...failures.slice(0, 3).map(({ problemId, message }) => `${pc.yellow('no reply')} to ${problemId}: ${message}`),
    failures.length > 3 ? `... and ${failures.length - 3} more` : '',
  ];
  return lines.filter(Boolean).join('\n');
}
