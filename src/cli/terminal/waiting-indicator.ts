import { clock } from './format';
import { pc, stderr } from './terminal';

/** Shows a waiting indicator on a terminal. Returns a function that removes it. */
export function waiting(text: string, silent = false): () => void {
  if (silent || !stderr.isTTY) return () => {};
  const started = performance.now();
  const draw = () => {
    stderr.clearLine();
    stderr.write(pc.dim(`${text} … ${clock((performance.now() - started) / 1000)}`));
  };
  draw();
  const timer = setInterval(draw, 1000);
  return () => {
    clearInterval(timer);
    stderr.clearLine();
  };
}
