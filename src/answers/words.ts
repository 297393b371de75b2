/** Compares answers in words. */
import type { Node } from './node';

/** Synonyms. */
const synonyms: string[][] = [
  ['yes', 'true', 'correct', 'possible', 'it is possible', 'да', 'sí', 'oui', 'ja', '是', '对', '正确'],
  [
    'no',
    'false',
    'incorrect',
    'impossible',
    'not possible',
    'it is not possible',
    'нет',
    'non',
    'nein',
    '否',
    '不是',
    '错',
    '错误',
  ],
  [
    '∅',
    'empty set',
    'the empty set',
    'no solution',
    'no solutions',
    'no real solution',
    'no real solutions',
    'none',
    '无解',
    'no real roots',
  ],
  ['does not exist', 'dne', 'undefined', 'not defined', 'no limit', '不存在'],
  ['ℝ', 'all real numbers', 'real numbers', 'all reals', 'all real', 'reals', '(-∞,∞)'],
  ['∞', 'infinity', 'infinite', 'infinitely many', 'infinitely many solutions', 'inf'],
];
const meanings = new Map(synonyms.flatMap((words) => words.map((word): [string, string] => [word, words[0]])));
/** "no" and "none" can mean zero and the empty set. */
const zeros = /^(?:none|nothing|zero|no one|nobody)$/;
/** "No apples are left". */
const emptied =
  /^(?:none|nothing|no(?: \p{L}+){1,2}?)(?: (?:is|are|was|were|will be))? (?:left|left over|remain(?:s|ing)?)$/u;

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];
const months = 'january february march april may june july august september october november december'.split(' ');
/** Abbreviations that are no other word. */
const abbreviated = /^(?:mon|tues?|wed|thu(?:rs?)?|fri|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)$/;
const inFull = (short: string) => [...weekdays, ...months].find((name) => name.startsWith(short))!;

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’]/g, "'")
    .replace(/[-–_]/g, ' ')
    .replace(
      /^(?:the (?:statement|claim) is|there (?:is|are)|(?:it is|it's|it was|it will be|is)(?: an?)?|the (?:day|month) (?:is|was|will be)|they are|on|in|the|an?)\s+/,
      '',
    )
    .replace(/[.!?…"“”]+$/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(abbreviated, inFull);
}

/** The words of a tree; null if it is something else. */
export function wordsOf(node: Node): string | null {
  if (node.kind === 'text') return plain(node.text);
  if (node.kind === 'symbol') return node.name.toLowerCase();
  if (node.kind === 'choice' && !node.rest) return node.letter.toLowerCase();
  if (node.kind === 'group' && node.items.length === 2 && node.open === '(' && node.close === ')') {
    const ends = node.items.map((item) => (item.kind === 'apply' && item.of === '-' ? item.args[0] : item));
    if (ends.every((end) => end.kind === 'symbol' && end.name === '∞') && node.items[0] !== ends[0]) return '(-∞,∞)';
  }
  return null;
}

export function sameWords(a: Node, gold: Node): boolean {
  const [said, wanted] = [wordsOf(a), wordsOf(gold)];
  if (said !== null && wanted !== null) return sameText(said, wanted) || givesName(a, gold);
  return isZero(a, wanted) || isZero(gold, said);
}

const isZero = (node: Node, words: string | null) =>
  words !== null && (zeros.test(words) || emptied.test(words)) && node.kind === 'number' && node.value.n === 0n;

function sameText(said: string, wanted: string): boolean {
  if (said === wanted) return said !== '';
  const [a, b] = [meanings.get(said), meanings.get(wanted)];
  return a !== undefined && a === b;
}

/** Whether a sentence gives a name, which begins with a capital letter: "The winner is Alice", "Alice has the most". */
function givesName(a: Node, gold: Node): boolean {
  if (a.kind !== 'text' || gold.kind !== 'text' || !/^\p{Lu}\p{L}/u.test(gold.text)) return false;
  const [said, wanted] = [plain(a.text), plain(gold.text)];
  if (meanings.has(wanted) || /\b(?:not|never|than|but|and|or|nor)\b|n't\b/.test(said)) return false;
  return namedBy(said) === wanted || (said.startsWith(`${wanted} `) && superior.test(said.slice(wanted.length + 1)));
}

/** What "the winner is Alice" names; null for other texts. */
const namedBy = (said: string) =>
  /^(?:the )?(?!(?:who|it|he|she|they|this|that|there|other|wrong|loser) )(?:\p{L}+ ){1,3}(?:is|was|are|were|will be) (?:the )?(\p{L}.*)$/u.exec(
    said,
  )?.[1] ?? null;

/**
 * The words after the name in "Alice has the most apples", "Store A is the cheapest", "Tom is older", "Tom wins", which
 * single out the one that was asked for. "Tom is older than Bob" does not: it may also answer who is younger.
 */
const superior =
  /^(?:(?:has|have|had|gets?|got|scored|earns?|earned|made|is|are|was|were|will (?:be|have)) (?:the )?(?:most|fewest|least|more|less|fewer|best|worst|better|worse|first|last|winner|(?!(?:other|under|over|after|loser|together)\b)\p{L}{2,}(?:est|er))|wins?|won|will win)(?: \p{L}+){0,3}$/u;

/** The yes or no at the beginning of a text. */
export function verdictAtStart(text: string): string | null {
  const found =
    /^[\s*_"“]*(yes|no|true|false)(?=\s*(?:[,.;:!–—(]|$)|\s+(?:because|since|as|it|he|she|they|there|this|that)\b)/i.exec(
      text,
    );
  return found?.[1] ?? null;
}
