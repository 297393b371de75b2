import pc from 'picocolors';
import { clock } from './format';

/** Shows on a terminal that something takes its time. Returns what ends it. */
export function waiting(text: string, silent = false): () => void {
  const { stderr } = process;
  if (silent || !stderr.isTTY) return () => {};
  const started = performance.now();
  const draw = () => stderr.write(`\r\u001b[2K${pc.dim(`${text} … ${clock((performance.now() - started) / 1000)}`)}`);
  draw();
  const timer = setInterval(draw, 1000);
  return () => {
    clearInterval(timer);
    stderr.write('\r\u001b[2K');
  };
}
