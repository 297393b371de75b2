import type { InstallStep } from '../backend-install/report';
import { UserError } from '../errors';
import { visibleJson } from '../foreign-text';
import { stderr } from './terminal';
import { waiting } from './waiting-indicator';

/** Runs interruptible work with progress: on a terminal, or as JSON lines. */
export async function interruptible<T>(
  options: { json?: boolean; progress?: boolean },
  work: (watch: { progress: (step: InstallStep) => void; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => stop.abort(new UserError('Stopped; the downloaded part is kept', { code: 'stopped' }));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
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
  try {
    return await work({ progress, signal: stop.signal });
  } finally {
    end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
