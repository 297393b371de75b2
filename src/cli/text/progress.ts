import type { CurriculumEvent } from '../../curriculum/context';
import { validationText } from '../../runs/events';
import { type Spent, spendingText } from '../../spent';
import { phaseTitle } from '../../stages';
import { type Start, studentTitle } from '../../start';
import { clock, percent, plural, short } from '../terminal/format';

import { clipLine, pc, type Screen } from '../terminal/terminal';

/**
 * Prints the events of a run: one bar for the current phase, and a permanent line for each result. `start` is called
 * with each result.
 */
export function showProgress(
  screen: Screen,
  {
    now = () => performance.now(),
    start = () => undefined,
  }: { now?: () => number; start?: () => Start | undefined } = {},
): (event: CurriculumEvent) => void {
  let started = now();
  let doneBefore = 0;
  let first: { update: number; spent?: Spent } | undefined;
  let validation = '';
  let barShown = false;
  const clear = () => {
    if (barShown) screen.clearLine();
    barShown = false;
  };
  const line = (text: string) => {
    clear();
    screen.write(`${text}\n`);
  };
  return (event) => {
    switch (event.type) {
      case 'phase':
        started = now();
        doneBefore = event.done;
        first = undefined;
        validation = '';
        if (!screen.isTTY)
          line(
            `${phaseTitle(event.stage, event.phase)}: ${plural(event.updates, 'update')}` +
              `${event.done ? `, ${event.done} done before` : ''}`,
          );
        break;
      case 'update': {
        if (!first?.spent) first = event;
        if (!screen.isTTY) break;
        clear();
        const share = { before: first.spent, done: event.update - first.update, left: event.updates - event.update };
        const rest = ((now() - started) / (event.update - doneBefore)) * (event.updates - event.update);
        // What matters most comes first: a narrow terminal cuts off the end.
        const parts = [
          `${event.update}/${event.updates}`,
          `ETA ${clock(rest / 1000)}`,
          event.spent ? spendingText(event.spent, share) : '',
          ...measures(event.metrics),
          validation,
        ];
        const text =
          `${phaseTitle(event.stage, event.phase)}  ` +
          `${bar(event.update / event.updates)}  ` +
          `${parts.filter(Boolean).join('  ')}`;
        screen.write(clipLine(text, (screen.columns ?? 120) - 1));
        barShown = true;
        break;
      }
      case 'validation':
        validation = `val ${validationText(event)}`;
        if (!screen.isTTY)
          line(`  update ${event.step}: validation ${validationText(event)}${event.best ? ' (best)' : ''}`);
        break;
      case 'result': {
        const { row } = event;
        const time = row.wallSeconds > 0 ? `  ${pc.dim(clock(row.wallSeconds))}` : '';
        line(
          `${pc.green('✓')} ${pc.bold(studentTitle(row.stage, start()))}  ${percent(row.accuracy)} ` +
            `right, ${row.meanTokens.toFixed(1)} tokens, ${cutOff(row)}(test, n ${row.n})${time}`,
        );
        break;
      }
      case 'note':
        line(event.level === 'warning' ? pc.yellow(`! ${event.text}`) : pc.dim(`  ${event.text}`));
        break;
      case 'checkpoint':
        break;
    }
  };
}

const cutOff = ({ truncated }: { truncated?: number }) =>
  truncated === undefined ? '' : `${percent(truncated)} cut off `;

function measures(metrics: Extract<CurriculumEvent, { type: 'update' }>['metrics']): string[] {
  const { accuracy, lengthMean, loss, tokensPerSecond } = metrics;
  return [
    accuracy === undefined ? `loss ${loss?.toFixed(3)}` : `right ${percent(accuracy, 0)} ${lengthMean?.toFixed(0)} tok`,
    tokensPerSecond === undefined ? '' : `${short(tokensPerSecond)} tok/s`,
  ];
}

function bar(share: number): string {
  const width = 24;
  const full = Math.round(share * width);
  return pc.cyan('━'.repeat(full)) + pc.dim('━'.repeat(width - full));
}
