import { expect, it } from 'vitest';
import { Markdown, md, paragraphs, table } from './markdown';

const evil = '[x](command:evil) **b** <img src=x> ![i](http://x) $(bug) `c` \u202e\u001b\n# h | a@b.c';

it('shows values literally in every position', () => {
  for (const { text, commands } of [md`a ${evil}`, paragraphs(evil, md`**${evil}**`), table([evil], [[evil]])]) {
    expect(text).not.toMatch(/\]\(|<img|\$\(bug|`c`|\u202e|\n# h|\*\*b\*\*/);
    expect(commands).toEqual([]);
  }
  expect(table(['a', 'b'], [['1\n2', 3]]).text).toBe('| a&nbsp;&nbsp; | b |\n| :-- | --: |\n| 1 2&nbsp;&nbsp; | 3 |');
  expect(paragraphs('a', undefined, '', md`*${'b'}*`).text).toBe('a\n\n*b*');
});

// VS Code's own appendCodeblock minds only the fences at the beginning of a line; one after spaces ends the block, too.
it('a block of code is not left by a fence in it', () => {
  const inside = 'a\n```\n[x](command:evil)\n  `````\n![i](http://x)\nb';
  expect(Markdown.code(`${inside}\u202e`, 'text').text).toBe(`\`\`\`\`\`\`text\n${inside}U+202E\n\`\`\`\`\`\``);
});

it('a link runs its own command, whatever its arguments', () => {
  const link = md`${Markdown.link('Open ](command:evil)', 'distillery.openCase', { id: ")](command:evil '!*" })}`;
  expect(link.commands).toEqual(['distillery.openCase']);
  expect(link.text.match(/\]\([^)]*\)/g)).toEqual([
    expect.stringMatching(/^\]\(command:distillery\.openCase\?[^()'!*]+\)$/),
  ]);
  const [, query] = /\?(.*)\)$/.exec(link.text)!;
  expect(JSON.parse(decodeURIComponent(query))).toEqual([{ id: ")](command:evil '!*" }]);
});
