/** Text with formulas and some Markdown, as models write it. It becomes only text nodes and KaTeX's own elements. */
import { element } from '../common/dom';
import { visibleNodes, visibleRuns } from '../common/visible';

export interface FormulaPart {
  kind: 'text' | 'math' | 'display' | 'bold' | 'code';
  text: string;
}

// A dollar sign opens a formula only before a character, and closes it only after one and not before a digit: "$5 and
// $6" is money.
const marks =
  /\\\[(?<display>[\s\S]+?)\\\]|\$\$(?<dollars>[^$]+?)\$\$|\\\((?<math>[\s\S]+?)\\\)|(?<![\\$\w])\$(?<dollar>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])|\*\*(?<bold>[^*\n]+)\*\*|`(?<code>[^`\n]+)`/g;

export function partsOf(text: string): FormulaPart[] {
  const parts: FormulaPart[] = [];
  let from = 0;
  const put = (kind: FormulaPart['kind'], part: string) => part !== '' && parts.push({ kind, text: part });
  for (const found of text.matchAll(marks)) {
    put('text', text.slice(from, found.index));
    const { display, dollars, math, dollar, bold, code } = found.groups!;
    if (display !== undefined || dollars !== undefined) put('display', display ?? dollars);
    else if (math !== undefined || dollar !== undefined) put('math', math ?? dollar);
    else put(bold === undefined ? 'code' : 'bold', bold ?? code);
    from = found.index + found[0].length;
  }
  put('text', text.slice(from));
  return parts;
}

/** Whether a text has formulas that are hard to read in source form. */
export const hasFormulas = (text: string): boolean =>
  /\\[([]|\\(?:frac|text|boxed|times|cdot|sqrt)\b/.test(text) || partsOf(text).some(({ kind }) => kind === 'display');

type Render = (formula: string, into: HTMLElement, display: boolean) => void;
let loaded: Render | undefined;
let loading: Promise<void> | undefined;

/** Loads KaTeX; resolves when formulas can be rendered, or must stay in source form. */
export function loadMath(): Promise<void> {
  loading ??= new Promise((resolve) => {
    const own = document.querySelector<HTMLScriptElement>('script[nonce][src]');
    const sheet = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]');
    if (!own || !sheet) return resolve();
    const script = element('script', { nonce: own.nonce, src: own.src.replace(/[\w-]+\.js/, 'math.js') });
    const style = element('link', {
      rel: 'stylesheet',
      nonce: own.nonce,
      href: sheet.href.replace(/[\w-]+\.css/, 'math.css'),
    });
    script.addEventListener('error', () => resolve());
    script.addEventListener('load', () => {
      loaded = (globalThis as { distilleryMath?: { render: Render } }).distilleryMath?.render;
      resolve();
    });
    document.head.append(style, script);
  });
  return loading;
}

/** The rendered text. A formula that cannot be rendered, or that hides characters, stays in source form. */
export function formattedNodes(text: string): Node[] {
  return partsOf(text).flatMap(({ kind, text: part }): Node[] => {
    if (kind === 'text')
      return visibleNodes(part.replace(/^[ \t]*#{1,6}[ \t]+/gm, '').replace(/^([ \t]*)[-*][ \t]+/gm, '$1• '));
    if (kind === 'bold') return [element('strong', {}, ...visibleNodes(part))];
    if (kind === 'code') return [element('code', {}, ...visibleNodes(part))];
    return [formula(part, kind === 'display')];
  });
}

const longest = 4000;

function formula(text: string, display: boolean): Node {
  const made = element('span', { class: display ? 'formula display' : 'formula' });
  const plain = visibleRuns(text).every(({ hidden }) => hidden === undefined) && text.length <= longest;
  try {
    if (!loaded || !plain) throw new Error('shown as written');
    loaded(text.trim(), made, display);
  } catch {
    made.replaceChildren(...visibleNodes(display ? `\\[${text}\\]` : `\\(${text}\\)`));
    made.classList.add('raw');
  }
  return made;
}
