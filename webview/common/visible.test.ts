import { describe, expect, it } from 'vitest';
import { visibleRuns } from './visible';

describe('visibleRuns', () => {
  it('leaves plain text in one run', () => {
    expect(visibleRuns('12 × 3 = 36\n\tnext 😀')).toEqual([{ text: '12 × 3 = 36\n\tnext 😀' }]);
    expect(visibleRuns('')).toEqual([]);
  });

  it('shows what would reorder or hide text', () => {
    expect(visibleRuns('a\u202eb')).toEqual([
      { text: 'a' },
      { text: '⟨202E⟩', hidden: 'U+202E right-to-left override' },
      { text: 'b' },
    ]);
    expect(visibleRuns('\u001b[31m').map(({ text }) => text)).toEqual(['\u241b', '[31m']);
    expect(visibleRuns('\u{e0041}')[0].hidden).toBe('U+E0041 control character');
  });

  it('shows halves of surrogate pairs', () => {
    expect(visibleRuns('x\ud83d')[1].hidden).toContain('U+D83D');
  });

  it('leaves no hidden character in any mark', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('');
    const shown = visibleRuns(all).map(({ text }) => text);
    expect(visibleRuns(shown.join('')).filter(({ hidden }) => hidden)).toEqual([]);
  });
});
