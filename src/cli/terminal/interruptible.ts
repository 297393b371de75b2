import type { InstallStep } from '../../backend-install/report';
import { UserError } from '../../errors';
import { visibleJson } from '../../foreign-text';
import { untilStopped } from './following';
import { stderr } from './terminal';
import { waiting } from './waiting-indicator';

/** Runs interruptible work with progress: on a terminal, or as JSON lines. */
export async function interruptible<T>(
  options: { json?: boolean; progress?: boolean },
  work: (watch: { progress: (step: InstallStep) => void; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  let shown = '';
  let end = () => {};
  const progress = ({ doing, done, total }: InstallStep) => {
    const text = total ? `${doing} ${Math.floor((100 * (done ?? 0)) / total)} %` : doing;
    if (text === shown) return;
    shown = text;
    if (options.progress) stderr.write(`${visibleJson({ doing, done, total })}\n`);
    else {
      end();
      end = waiting(text, options.json);
    }
  };
  const stopped = new UserError('Stopped; the downloaded part is kept', { code: 'stopped' });
  return untilStopped(({ signal }) => work({ progress, signal }), stopped).finally(() => end());
}
