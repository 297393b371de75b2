/** Finds formulas and some Markdown in texts of models. */

export interface FormulaPart {
  kind: 'text' | 'math' | 'display' | 'bold' | 'code';
  text: string;
}

// A dollar sign opens a formula only before a character, and closes it only after one and not before a digit: "$5 and
// $6" is money. A formula cannot contain its own opening mark, so that unclosed ones take linear time.
const marks =
  /\\\[(?<display>(?:(?!\\\[)[\s\S])+?)\\\]|\$\$(?<dollars>[^$]+?)\$\$|\\\((?<math>(?:(?!\\\()[\s\S])+?)\\\)|(?<![\\$\w])\$(?<dollar>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])|\*\*(?<bold>[^*\n]+)\*\*|`(?<code>[^`\n]+)`/g;

export function splitFormulas(text: string): FormulaPart[] {
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
  /\\[([]|\\(?:frac|text|boxed|times|cdot|sqrt)\b/.test(text) ||
  splitFormulas(text).some(({ kind }) => kind === 'display');
