/** Code that tokenizes, formats and shows texts of models, datasets and users, each as a function of one text. */
import { join } from 'node:path';
import { splitChain } from '../../src/chain/split';
import { inOneLine } from '../../src/cli/terminal/terminal';
import { isCutOff, plainMarks } from '../../src/data/generations';
import { plainQuestion } from '../../src/data/problems';
import { isWorked, statedAnswer } from '../../src/data/stated';
import { blockText, nextNumber, type PageQuestion, questions } from '../../src/extension/ask/page';
import { chainFindings } from '../../src/extension/cases/findings';
import { outlineOf } from '../../src/extension/cases/outline';
import { readable } from '../../src/extension/cases/readable';
import { segmentText, sentenceStarts } from '../../src/extension/chain-diff/segments';
import { Markdown, md, table } from '../../src/extension/vscode/markdown';
import { inert, inertLine, visible, visibleJson } from '../../src/foreign-text';
import { questionOf } from '../../src/imports/logged';
import { parsePython } from '../../src/imports/rows';
import { packageRoot } from '../../src/paths';
import { escaped } from '../../src/report/html';
import { stepMarks } from '../../src/reward-components/input';
import { type ChatTemplate, renderChat } from '../../src/student-files/chat-template';
import { loadStudentTokenizer } from '../../src/student-files/folder';
import { tinyTokenizer } from '../../src/student-files/testing/tiny';
import { makeTokenizer } from '../../src/student-files/tokenizer';
import { splitFormulas } from '../../webview/chain-diff/formula-parts';
import { alignMany } from '../../webview/chain-diff/rows';

const tokenizer = loadStudentTokenizer(join(packageRoot(), 'examples/arithmetic/student'));
const { json, config } = tinyTokenizer();
const bytes = makeTokenizer(json, config);
const [firstByte] = bytes.encode('é');
const chatTemplate: ChatTemplate = {
  source:
    '{% for m in messages %}{{ "<|im_start|>" + m.role + "\\n" + m.content | trim + "<|im_end|>\\n" }}{% endfor %}' +
    '{% if add_generation_prompt %}{{ "<|im_start|>assistant\\n" }}{% endif %}',
  specialTokens: {},
  file: 'chat_template.jinja',
};
/** A token for each character; some are meaningless bytes. */
const idsOf = (text: string) => Array.from(text, (character) => character.codePointAt(0)! % tokenizer.vocabSize);
const asked = (text: string): PageQuestion => ({
  number: 1,
  student: 'student',
  temperature: 0,
  gold: '14',
  samples: [{ text, tokens: 1, done: true, finished: true }],
});

export const textDisplays: Record<string, (text: string) => unknown> = {
  // Longer than any context; encoding takes up to 3 µs a character.
  'tokens of a text': (text) => tokenizer.encode(text.slice(0, text.length / 8)),
  'text of tokens': (text) => tokenizer.decode(idsOf(text)),
  // As many tokens as a very long completion has.
  'text of each token': (text) => tokenizer.tokenTexts(idsOf(text.slice(0, text.length / 32))),
  'text of bytes that are no characters': ({ length }) => bytes.tokenTexts(Array(length >> 5).fill(firstByte)),
  'a chat template': (text) => renderChat(chatTemplate, [{ role: 'user', content: text }], true),

  isCutOff,
  isWorked,
  'parsePython of a text': (text) => parsePython(JSON.stringify(text), { file: 'a.jsonl' }),
  plainMarks,
  plainQuestion,
  questionOf,
  statedAnswer,
  stepMarks,

  'md and a table': (text) => table(['a'], [[text], [md`**${text}**`]]),
  'code in Markdown': (text) => Markdown.code(text, 'text'),
  'a link in Markdown': (text) => Markdown.link(text.slice(0, 10), 'a', text.toWellFormed()),
  'HTML of a report': escaped,
  inert,
  inertLine,
  inOneLine,
  visible,
  visibleJson,

  alignMany: (text) => {
    const { steps } = splitChain(text.slice(0, text.length / 2));
    return alignMany([steps, steps.toReversed(), ['1 + 1 = 2']]);
  },
  'answers of a page': (text) => blockText(asked(text)),
  chainFindings: (text) => chainFindings(text, '14'),
  nextNumber,
  outlineOf,
  splitFormulas,
  questions,
  'readable LaTeX and Markdown': (text) => readable(text, [{ start: 0, end: text.length }]),
  segmentText: (text) => segmentText(text).segments.map((segment) => sentenceStarts(text, segment)),
};
