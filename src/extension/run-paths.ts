import { join, normalize, sep } from 'node:path';

const below = `${sep}.distillery${sep}runs`;

/** The runs folder that a file lies in, and the run, if it lies in one. */
export function runOfFile(file: string): { runs: string; run?: string } | undefined {
  const at = `${file}${sep}`.indexOf(`${below}${sep}`);
  if (at < 0) return undefined;
  const runs = file.slice(0, at + below.length);
  const [name] = file.slice(runs.length + 1).split(sep);
  return name ? { runs, run: join(runs, name) } : { runs };
}

/** Whether two absolute paths name one file, as the system compares names. */
export function sameFile(a: string, b: string): boolean {
  const fold = (path: string) => (process.platform === 'linux' ? path : path.toLowerCase());
  return fold(normalize(a)) === fold(normalize(b));
}
