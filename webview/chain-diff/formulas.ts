/** Renders text with formulas and some Markdown, with nothing but text nodes and KaTeX's own elements. */
import { element } from '../common/dom';
import { visibleNodes, visibleRuns } from '../common/visible';
import { splitFormulas } from './formula-parts';

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

/** Maximum length of a formula, and of all rendered formulas of a text, as KaTeX takes some 40 µs a character. */
const [longest, longestTogether] = [4000, 20_000];

/**
 * The rendered text. A formula that cannot be rendered, that hides characters, or is too long, stays in source form.
 */
export function formattedNodes(text: string): Node[] {
  let rendered = 0;
  return splitFormulas(text).flatMap(({ kind, text: part }): Node[] => {
    if (kind === 'text')
      return visibleNodes(part.replace(/^[ \t]*#{1,6}[ \t]+/gm, '').replace(/^([ \t]*)[-*][ \t]+/gm, '$1• '));
    if (kind === 'bold') return [element('strong', {}, ...visibleNodes(part))];
    if (kind === 'code') return [element('code', {}, ...visibleNodes(part))];
    rendered += part.length;
    return [formula(part, kind === 'display', rendered <= longestTogether)];
  });
}

function formula(text: string, display: boolean, isRendered: boolean): Node {
  const made = element('span', { class: display ? 'formula display' : 'formula' });
  const plain = visibleRuns(text).every(({ hidden }) => hidden === undefined) && text.length <= longest;
  try {
    if (!loaded || !plain || !isRendered) throw new Error('shown as written');
    loaded(text.trim(), made, display);
  } catch {
    made.replaceChildren(...visibleNodes(display ? `\\[${text}\\]` : `\\(${text}\\)`));
    made.classList.add('raw');
  }
  return made;
}
