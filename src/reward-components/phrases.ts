import { list, number, text, whole } from '../fields';
import { component } from './component';

/** `each` times the occurrences of the texts, at most `most` of them. */
export const phrases = component({
  name: 'phrases',
  description:
    'A value for each occurrence of some texts: for tags that a completion needs ("</think>"), or ' +
    'against filler ("Wait").',
  options: () => ({
    texts: list('The texts; upper and lower case count as the same.', text('A text.').min(1), 'texts').min(1, {
      error: 'a list with at least one text',
    }),
    each: number('Value of an occurrence.').default(-0.1),
    most: whole('Occurrences of all texts together that count.', { min: 1 }).default(5),
  }),
  traits: { highest: ({ each, most }) => Math.max(0, each * most) },
  score({ completion }, { texts, each, most }) {
    const lower = completion.text.toLowerCase();
    const wanted = new Set(texts.map((text) => text.toLowerCase()));
    let count = 0;
    for (const text of wanted) count += lower.split(text).length - 1;
    return each * Math.min(count, most);
  },
});
