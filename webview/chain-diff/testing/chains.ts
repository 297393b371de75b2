/** Chains for tests. */
import type { ChainView, Segment } from '../../../src/protocol/chain-diff';

/** A chain of `Step k:` lines and an answer line, with a token per word or character. */
export function chainOf(role: ChainView['role'], text: string): ChainView {
  const texts: string[] = [];
  const segments: Segment[] = [];
  for (const line of text.split('\n')) {
    const words = line.match(/ ?(?:[\p{L}\d]+|[^\s])|\s/gu) ?? [];
    const number = /^Step (\d+)/.exec(line)?.[1];
    const other = line.startsWith('Answer') ? 'answer' : 'thinking';
    const kind = number ? 'step' : other;
    const from = texts.length;
    texts.push(...words, '\n');
    const cuts = words.flatMap((word, i) => (i > 0 && words[i - 1] === '.' && word !== '.' ? [from + i] : []));
    segments.push({ kind, ...(number && { number: Number(number) }), from, to: texts.length, cuts });
  }
  return {
    role,
    label: '',
    origin: { file: '' },
    ids: texts.map(idOf),
    texts,
    ended: false,
    length: texts.length,
    lengthIsRecorded: false,
    answer: null,
    correct: false,
    finished: true,
    segments,
    absent: {},
    findings: [],
  };
}

const ids = new Map<string, number>();
function idOf(text: string): number {
  const id = ids.get(text) ?? ids.size;
  ids.set(text, id);
  return id;
}
