import { join, sep } from 'node:path';

const below = `${sep}.distillery${sep}runs`;

/** The runs folder that a file lies in, and the run, if it lies in one. */
export function runOfFile(file: string): { runs: string; run?: string } | undefined {
  const at = `${file}${sep}`.indexOf(`${below}${sep}`);
  if (at < 0) return undefined;
  const runs = file.slice(0, at + below.length);
  const [name] = file.slice(runs.length + 1).split(sep);
  return name ? { runs, run: join(runs, name) } : { runs };
}
