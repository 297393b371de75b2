/** Sections of docs/performance.md that the benchmarks generate. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/paths';

export type Section = 'engine' | 'profile' | 'trl' | 'pipe' | 'llama';

/** Replaces the text between the markers of a section. */
export function writeSection(section: Section, text: string): void {
  const file = join(packageRoot(), 'docs', 'performance.md');
  const [begin, end] = [`<!-- begin ${section} -->`, `<!-- end ${section} -->`];
  const document = readFileSync(file, 'utf8');
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no section between ${begin} and ${end}`);
  writeFileSync(file, `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`);
}
