/** A case as readable text, with the positions of its parts. */

import { type CaseRewrite, isAccepted, rewriteStatus } from '../../cases/rewrites';
import type { Span } from '../../chain/types';
import type { Case, CaseAnswer } from './case';

/** A range of the document; `heading` is where the line that names it begins. */
interface CaseSection extends Span {
  heading: number;
}

export interface CaseText {
  text: string;
  student?: CaseSection;
  teacher?: CaseSection;
  rewrites: { section: CaseSection; rewrite: CaseRewrite }[];
}

/** At most this many rewrites are shown; each heading gives the total. */
const maxRewrites = 6;

export function renderCase(shownCase: Case): CaseText {
  const { question, gold, category, answers, shown, teacher, rewrites, picked, note, read } = shownCase;
  let text = '';
  const add = (heading: string, body: string): CaseSection => {
    const at = text.length;
    text += `## ${heading}\n`;
    const start = text.length;
    text += visible(body);
    const end = text.length;
    text += `${body.endsWith('\n') ? '' : '\n'}\n`;
    return { heading: at, start, end };
  };
  const about = [category ?? 'no failure', ...(picked ? ['added to Stage 3'] : []), ...(read ? ['read'] : [])].join(
    ', ',
  );
  const noted = note === undefined ? '' : `\nNote: ${oneLine(note)}`;
  add(
    `Case ${oneLine(shownCase.reference.problemId)}: ${about}`,
    `Question: ${question}\nReference answer: ${gold}${noted}`,
  );
  const student = shown && add(studentHeading(shown, answers), shown.text);
  const teacherSection = teacher && add(withTokens('Teacher', teacher.tokens), teacher.text);
  const sections = rewrites
    .filter((one, i) => i < maxRewrites || isAccepted(one))
    .map((rewrite) => {
      const heading =
        `${rewriteName(rewrites, rewrite)}: ` +
        `${rewriteStatus(rewrite)}${rewrite.tokens === undefined ? '' : `, ${rewrite.tokens} tokens`}`;
      return { section: add(heading, rewrite.text), rewrite };
    });
  return { text: `${text.trimEnd()}\n`, student, teacher: teacherSection, rewrites: sections };
}

/** Text from models and datasets. */
export function bodiesOf({ text, student, teacher, rewrites }: CaseText): Span[] {
  const sections = [student, teacher, ...rewrites.map(({ section }) => section)].flatMap((one) => one ?? []);
  const question = { start: text.indexOf('\n') + 1, end: sections[0]?.heading ?? text.length };
  return [question, ...sections];
}

/** "Rewrite 2 of 4" */
export function rewriteName(rewrites: readonly CaseRewrite[], rewrite: CaseRewrite): string {
  const index = rewrites.findIndex(({ text }) => text === rewrite.text);
  return rewrites.length > 1 ? `Rewrite ${index + 1} of ${rewrites.length}` : 'Rewrite';
}

/** The rewrite at a position: each reaches from its heading to the next one's. */
export function rewriteAtOffset({ rewrites }: CaseText, offset: number): CaseRewrite | undefined {
  return rewrites.findLast(({ section }) => section.heading <= offset)?.rewrite;
}

function studentHeading({ label, answer, correct, finished, tokens, unit, rollout }: CaseAnswer, all: CaseAnswer[]) {
  const recorded = all.filter((one) => one.rollout === undefined).length;
  const which = rollout === undefined && recorded > 1 ? `${label} of ${recorded}` : label;
  const verdict = finished ? '' : ', cut off';
  const said = answer === null ? 'no answer' : `${oneLine(answer)} is ${correct ? 'right' : 'wrong'}`;
  return `Student: ${which}, ${tokens} ${unit ?? 'tokens'}${verdict}, ${said}`;
}

const withTokens = (name: string, tokens?: number) => (tokens === undefined ? name : `${name}: ${tokens} tokens`);
const oneLine = (text: string) => visible(text.replace(/\s+/g, ' '));

/** Unifies line ends, and replaces other control characters by symbols. Every character keeps its position. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/\r(?=\n)/g, ' ').replace(/[\u0000-\u0008\u000b-\u001f\u007f\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0x7f) return '␤';
    return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
  });
}

/** Line and column (from 0) of an offset in a text with \n line ends. */
export function positionIn(text: string, offset: number): { line: number; character: number } {
  let line = 0;
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, character: offset - start };
}
