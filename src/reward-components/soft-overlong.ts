import { whole } from '../fields';
import { component, maxTokens } from './component';
import { lengthOf } from './input';

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13): 0 up to the buffer, then down to -1 at the limit and
 * beyond.
 */
export const softOverlong = component({
  name: 'softOverlong',
  description: 'Falls from 0 to -1 over the last tokens before the limit (DAPO, arXiv 2503.14476, eq. 13).',
  options: () => ({
    maxTokens: maxTokens(),
    buffer: whole('Tokens before the limit over which the value falls; 0 = a sharp edge at the limit.').default(64),
  }),
  traits: { highest: () => 0 },
  score(input, { maxTokens, buffer }) {
    const excess = lengthOf(input) - (maxTokens - buffer);
    if (excess <= 0) return 0;
    return buffer === 0 ? -1 : Math.max(-1, -excess / buffer);
  },
});
