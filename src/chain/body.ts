import { partThinking } from '../answers/thinking';
import { firstIndex } from '../sorted';

/** A chain's text without tags, for splitting, with a mapping to positions of the original text. */
export interface Body {
  /** The text inside thinking tags. */
  thought: string;
  /** The rest: line ends are `\n`, tags around the answer are taken off. */
  text: string;
  /** The place in the given text of a place in `text`. */
  origin(place: number): number;
}

export function bodyOf(given: string): Body {
  const { text, origin } = withLineEnds(given);
  const { thought, body } = partThinking(text);
  const begin = text.length - body.length;
  const untagged = withoutAnswerTags(body);
  return { thought, text: untagged.text, origin: (place) => origin(begin + untagged.origin(place)) };
}

type Changed = Pick<Body, 'text' | 'origin'>;

function withLineEnds(given: string): Changed {
  if (!given.includes('\r')) return { text: given, origin: (place) => place };
  const shortened = [...given.matchAll(/\r\n/g)].map(({ index }, i) => index - i);
  const before = (place: number) => firstIndex(shortened.length, (i) => shortened[i] >= place);
  return { text: given.replace(/\r\n?/g, '\n'), origin: (place) => place + before(place) };
}

/** Maximum code units inside tags for the content to be an answer and not a solution. */
const longestTagged = 100;
const [openTag, closeTag] = ['<answer>', '</answer>'];

/** `<answer>` tags at the end, as in R1-Zero's template: around the answer alone, or around the whole solution. */
function withoutAnswerTags(text: string): Changed {
  const open = text.lastIndexOf(openTag);
  const rest = open < 0 ? '' : text.slice(open + openTag.length).trim();
  const inside = rest.endsWith(closeTag) ? rest.slice(0, -closeTag.length).trim() : rest;
  if (!inside) return { text, origin: (place) => place };
  const isAnswer = inside.length <= longestTagged && !inside.includes('\n') && !/^\W*answer\s*:/i.test(inside);
  const before = text.slice(0, open).trimEnd();
  const head = `${before}\n${isAnswer ? 'Answer: ' : ''}`;
  const begin = text.indexOf(inside, open + openTag.length);
  const origin = (place: number) => {
    if (place <= before.length) return place;
    return place < head.length ? open : begin + place - head.length;
  };
  return { text: head + inside, origin };
}
