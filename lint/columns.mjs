// Comments within 120 columns: Biome wraps code, but leaves comments as they are. With --write, wraps their paragraphs.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const most = 120;
const ofOneLine = /^(\s*)\/\*\* (.*) \*\/$/;
/** A line of a paragraph: text after the comment mark, no list, table or code. */
const ofParagraph = /^(\s*)(\*|\/\/) (?![\s|-])(.*)$/;
const afterCode = /[;,{})] \/\/ [^'"`]*$/;

const isWide = (line) => line.length > most && (/^\s*(?:\/\/|\/\*|\*)/.test(line) || afterCode.test(line));

function wrap(text, lead) {
  const lines = [];
  let line = lead;
  for (const word of text.split(' ')) {
    if (line !== lead && line.length + 1 + word.length > most) {
      lines.push(line);
      line = lead;
    }
    line += line === lead ? word : ` ${word}`;
  }
  return [...lines, line];
}

function wrapped(lines) {
  const out = [];
  for (let i = 0; i < lines.length; ) {
    const [, indent, text] = (isWide(lines[i]) && ofOneLine.exec(lines[i])) || [];
    if (text !== undefined) {
      out.push(`${indent}/**`, ...wrap(text, `${indent} * `), `${indent} */`);
      i++;
      continue;
    }
    const begin = ofParagraph.exec(lines[i]);
    const lead = begin && `${begin[1]}${begin[2]} `;
    const paragraph = [];
    for (let j = i; lead && ofParagraph.test(lines[j] ?? '') && lines[j].startsWith(lead); j++)
      paragraph.push(lines[j]);
    if (paragraph.some(isWide)) out.push(...wrap(paragraph.map((line) => line.slice(lead.length)).join(' '), lead));
    else out.push(...(paragraph.length > 0 ? paragraph : [lines[i]]));
    i += Math.max(paragraph.length, 1);
  }
  return out;
}

const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs', '*.cjs'], { encoding: 'utf8' }).split('\n');
const wide = files.filter(Boolean).flatMap((file) => {
  let lines = readFileSync(file, 'utf8').split('\n');
  if (!lines.some(isWide)) return [];
  if (process.argv.includes('--write')) {
    lines = wrapped(lines);
    writeFileSync(file, lines.join('\n'));
  }
  return lines.flatMap((line, i) => (isWide(line) ? [`${file}:${i + 1}: ${line.length} columns`] : []));
});
if (wide.length > 0) {
  process.stderr.write(
    `Comments are at most ${most} columns wide (\`npm run format\` wraps most):\n${wide.join('\n')}\n`,
  );
  process.exitCode = 1;
}
