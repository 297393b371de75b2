/**
 * Makes LaTeX and Markdown of models readable in a text editor: markup is hidden, symbols stand in for commands.
 * All replacement text comes from the tables here, never from the model. No editor types, so it can be tested without
 * VS Code.
 */
import { latexSpans } from '../../arithmetic/latex';
import type { Span } from '../../chain/types';
import { bodiesOf, type CaseText } from './text';

/** A range of the text and its replacement; an empty one hides it. */
interface Replacement extends Span {
  shown: string;
}

export interface Readable {
  replacements: Replacement[];
  bold: Span[];
}

const signs: Record<string, string> = {
  times: '×',
  cdot: '·',
  div: '÷',
  pm: '±',
  mp: '∓',
  ast: '∗',
  le: '≤',
  leq: '≤',
  ge: '≥',
  geq: '≥',
  neq: '≠',
  ne: '≠',
  approx: '≈',
  equiv: '≡',
  sim: '∼',
  to: '→',
  rightarrow: '→',
  Rightarrow: '⇒',
  implies: '⇒',
  iff: '⇔',
  leftarrow: '←',
  therefore: '∴',
  because: '∵',
  dots: '…',
  ldots: '…',
  cdots: '⋯',
  infty: '∞',
  sum: '∑',
  prod: '∏',
  int: '∫',
  in: '∈',
  notin: '∉',
  cup: '∪',
  cap: '∩',
  subset: '⊂',
  emptyset: '∅',
  forall: '∀',
  exists: '∃',
  pi: 'π',
  theta: 'θ',
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  Delta: 'Δ',
  lambda: 'λ',
  mu: 'μ',
  sigma: 'σ',
  omega: 'ω',
  phi: 'φ',
  epsilon: 'ε',
  angle: '∠',
  degree: '°',
  circ: '°',
  mid: '|',
  land: '∧',
  lor: '∨',
  neg: '¬',
  quad: ' ',
  qquad: '  ',
  left: '',
  right: '',
  big: '',
  Big: '',
  displaystyle: '',
  limits: '',
  hline: '',
};
/** A command with a one-character name: the space that it makes, or the character itself. */
const escaped: Record<string, string> = {
  ' ': ' ',
  ',': ' ',
  ';': ' ',
  ':': ' ',
  '!': '',
  '\\': '',
  '%': '%',
  $: '$',
  '#': '#',
  '&': '&',
  _: '_',
  '{': '{',
  '}': '}',
  '|': '‖',
};
const opening = /^\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathsf|operatorname)$/;
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const subscripts = '₀₁₂₃₄₅₆₇₈₉';

const known = new WeakMap<CaseText, Readable>();

/** For a case's document. Computed once and shared until the case changes. */
export function readableCase(layout: CaseText): Readable {
  const found = known.get(layout) ?? readable(layout.text, bodiesOf(layout));
  known.set(layout, found);
  return found;
}

/** Only within bodies of a document: its own headings are not Markdown of a model. */
export function readable(text: string, bodies: readonly Span[]): Readable {
  const found: Readable = { replacements: [], bold: [] };
  for (const { start, end } of bodies) {
    const body = text.slice(start, end);
    const formulas = latexSpans(body);
    for (const span of formulas) formula(body, span, start, found);
    markdown(body, formulas, start, found);
  }
  found.replacements.sort((a, b) => a.start - b.start);
  return found;
}

const token =
  /\\[dt]?frac\d\d|\\begin\{\w+\*?\}(?:\{[^}\n]*\})?|\\end\{\w+\*?\}|\\[A-Za-z]+ ?|\\[^A-Za-z\n]|[\^_](?:\d|\{\d+\})|[{}&~]/g;

function formula(body: string, { start, end }: Span, base: number, { replacements }: Readable): void {
  // Environments are not rendered: \begin and \end are hidden like other commands.
  const width = /^(?:\$\$?|\\[([])?/.exec(body.slice(start, start + 2))![0].length;
  const put = (from: number, to: number, shown: string) => {
    if (to > from) replacements.push({ start: base + from, end: base + to, shown });
  };
  put(start, start + width, '');
  /**
   * For each open brace, the text that replaces its closing brace; for the first part of a fraction, also the text
   * between the parts.
   */
  const open: { close: string; next?: string }[] = [];
  let pending: { open: string; close: string; next?: string } | undefined;
  const inside = body.slice(start + width, end - width);
  for (const match of inside.matchAll(token)) {
    const [part] = match;
    const at = start + width + match.index;
    if (part === '{') {
      const simple = /^\{[\w.,]{0,12}\}/.test(body.slice(at, at + 14));
      const { open: before, close, next } = pending ?? { open: '', close: '' };
      open.push({ close: simple ? close.replace(')', '') : close, next });
      put(at, at + 1, simple ? before.replace('(', '') : before);
      pending = undefined;
    } else if (part === '}') {
      const closed = open.pop();
      put(at, at + 1, closed?.close ?? '');
      if (closed?.next !== undefined && body[at + 1] === '{') pending = { open: closed.next, close: ')' };
    } else {
      pending = bracketed(part.trim());
      const shown = pending ? '' : signOf(part);
      if (shown === undefined) pending = { open: '{', close: '}' };
      else put(at, at + part.length, shown);
    }
  }
  put(end - width, end, '');
}

/** The text that a command puts around its braces. */
function bracketed(command: string): { open: string; close: string; next?: string } | undefined {
  if (/^\\[dt]?frac$/.test(command)) return { open: '(', close: ')', next: '/(' };
  if (command === '\\sqrt') return { open: '√(', close: ')' };
  if (command === '\\boxed' || command === '\\fbox') return { open: '[', close: ']' };
  return opening.test(command) ? { open: '', close: '' } : undefined;
}

/** undefined: an unknown command, which is shown as written */
function signOf(part: string): string | undefined {
  const [, over, under] = /^\\[dt]?frac(\d)(\d)$/.exec(part) ?? [];
  if (under) return `${digits(over, superscripts)}⁄${digits(under, subscripts)}`;
  if (part === '~') return ' ';
  if (part === '&' || part.startsWith('\\begin') || part.startsWith('\\end')) return '';
  if (part[0] === '^') return digits(part, superscripts);
  if (part[0] === '_') return digits(part, subscripts);
  const name = part.slice(1).trimEnd();
  const spaced = part.endsWith(' ') && part !== '\\ ' ? ' ' : '';
  if (/^[A-Za-z]/.test(name)) return Object.hasOwn(signs, name) ? `${signs[name]}${spaced}` : undefined;
  return Object.hasOwn(escaped, name || ' ') ? escaped[name || ' '] : undefined;
}

const digits = (part: string, as: string) =>
  [...part].map((digit) => (/\d/.test(digit) ? as[Number(digit)] : '')).join('');

const marks =
  /^(?<heading>[ \t]*#{1,6}[ \t]+)(?<title>.*)|^[ \t]*(?<bullet>[-*])(?=[ \t]+\S)|\*\*(?<bold>[^*\n]+)\*\*/gm;

function markdown(body: string, formulas: readonly Span[], base: number, { replacements, bold }: Readable): void {
  const hide = (start: number, end: number, shown = '') =>
    replacements.push({ start: base + start, end: base + end, shown });
  let next = 0; // the first formula that ends after the mark
  for (const { index, groups, 0: all } of body.matchAll(marks)) {
    const { heading, title, bullet } = groups!;
    while (next < formulas.length && formulas[next].end <= index) next++;
    const within = formulas[next]?.start ?? Number.POSITIVE_INFINITY;
    if (within < (bullet ? index + all.length : index)) continue;
    if (heading !== undefined) {
      hide(index, index + heading.length);
      bold.push({ start: base + index + heading.length, end: base + index + heading.length + title.length });
    } else if (bullet !== undefined) hide(index + all.length - 1, index + all.length, '•');
    else {
      hide(index, index + 2);
      hide(index + all.length - 2, index + all.length);
      bold.push({ start: base + index + 2, end: base + index + all.length - 2 });
    }
  }
}
