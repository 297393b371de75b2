/** Multiple choice: the choices are listed below the question, and the answer is one of them, as letter and text. */
import { sameAnswer } from '../answers/equal';
import { cellOf, cellText } from './cells';
import { choiceColumn, plainName } from './names';
import type { Row } from './rows';

export interface Choice {
  /** A to Z. */
  letter: string;
  /** Its label in the dataset: a letter or a number. */
  label: string;
  text: string;
}

/** The choices of a row: a list, an object by labels, a text such as "a) 3, b) 4", or one column for each. */
export function choicesOf(row: Row, columns: string | readonly string[]): Choice[] {
  const found = typeof columns === 'string' ? labelled(cellOf(row, columns)) : columnsOf(row, columns);
  return found.flatMap(({ label, text }, i) => {
    const letter = /^[a-z]$/i.test(label) ? label.toUpperCase() : String.fromCharCode(65 + i);
    return text === undefined ? [] : [{ letter, label, text }];
  });
}

interface Labelled {
  label: string;
  text: string | undefined;
}

const columnsOf = (row: Row, columns: readonly string[]): Labelled[] =>
  columns.map((name) => {
    const [, one, bare] = choiceColumn.exec(plainName(name)) ?? [];
    return { label: one ?? bare ?? '', text: cellText(row[name], 'user') };
  });

function labelled(cell: unknown): Labelled[] {
  if (typeof cell === 'string') return inText(cell);
  if (Array.isArray(cell)) return items(cell);
  if (typeof cell !== 'object' || cell === null) return [];
  const { text, texts = text, label, labels = label } = cell as Row;
  if (Array.isArray(texts) && Array.isArray(labels))
    return texts.map((one, i) => ({ label: String(labels[i]), text: cellText(one, 'user') }));
  return Object.entries(cell).map(([name, one]) => ({ label: name, text: cellText(one, 'user') }));
}

const items = (list: readonly unknown[]): Labelled[] =>
  list.map((item) => {
    if (typeof item !== 'object' || item === null) {
      const [, label = '', text] = /^\s*\(?([A-Za-z]|\d)\s*[).:]\s*(\S.*)$/s.exec(String(item)) ?? [];
      return { label, text: text ?? cellText(item, 'user') };
    }
    const { label, key, id, text, content, value } = item as Row;
    return { label: cellText(label ?? key ?? id, 'user') ?? '', text: cellText(text ?? content ?? value, 'user') };
  });

/** A list in JSON's or Python's notation, or "a ) 3 , b ) 4". */
function inText(text: string): Labelled[] {
  if (text.trim().startsWith('[')) {
    const quoted = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g)];
    if (quoted.length > 1) return items(quoted.map(([, double, single]) => double ?? single));
  }
  const parts = text.split(/(?:^|[\s,;])\(?([A-Ja-j])\s*[).:]\s*/);
  return Array.from({ length: Math.floor(parts.length / 2) }, (_, i) => ({
    label: parts[2 * i + 1],
    text: parts[2 * i + 2].replace(/[\s,;]+$/, '') || undefined,
  }));
}

/** The question followed by its choices, unless it contains them. */
export function withChoices(question: string, choices: readonly Choice[]): string {
  const shown = choices.every(
    ({ letter, text }) => new RegExp(`(?:^|[\\s(])${letter}\\s*[).:]`, 'i').test(question) && question.includes(text),
  );
  if (choices.length === 0 || shown) return question;
  return `${question}\n${choices.map(({ letter, text }) => `(${letter}) ${text}`).join('\n')}`;
}

/**
 * The answer as "(B) 31". Datasets give it as a label, a text, or an index from 0. Undefined if it is none of the
 * choices.
 */
export function chosenAnswer(given: unknown, choices: readonly Choice[]): string | undefined {
  const answerText = cellText(given, 'assistant');
  if (answerText === undefined) return undefined;
  const key = /^\s*(?:option|choice)?\s*\(?([A-Za-z]|\d)\s*(?:[).:]|$)/i.exec(answerText)?.[1].toLowerCase();
  const byLabel = () => choices.find(({ label }) => key !== undefined && label.toLowerCase() === key);
  const byLetter = () => choices.find(({ letter }) => letter.toLowerCase() === key);
  const byText = () =>
    choices.find(({ text }) => text === answerText) ?? choices.find(({ text }) => sameAnswer(answerText, text));
  const byIndex = () => (/^\d+$/.test(answerText) ? choices[Number(answerText)] : undefined);
  const found =
    typeof given === 'number' ? (byLabel() ?? byIndex()) : (byLabel() ?? byText() ?? byLetter() ?? byIndex());
  return found && `(${found.letter}) ${found.text}`;
}
