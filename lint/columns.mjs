// Comments within 120 columns: Biome wraps code, but leaves comments as they are.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const most = 120;
const isComment = (line) => /^\s*(?:\/\/|\/\*|\*)/.test(line) || /[;,{})] \/\/ [^'"`]*$/.test(line);
const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs', '*.cjs'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file && !file.startsWith('test/fixtures/'));
const wide = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, i) => (line.length > most && isComment(line) ? [`${file}:${i + 1}: ${line.length} columns`] : [])),
);
if (wide.length > 0) {
  process.stderr.write(`Comments are at most ${most} columns wide:\n${wide.join('\n')}\n`);
  process.exitCode = 1;
}
