/** HTML without scripts. Whatever is put into the template is escaped; only what the template made is markup. */
import { visible } from '../foreign-text';

const made = Symbol('html');
export interface Html {
  readonly [made]: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return raw(parts.reduce((text, part, i) => text + part + (i < values.length ? textOf(values[i]) : ''), ''));
}

/** Markup that was made elsewhere, such as a drawing of ours. */
export const raw = (text: string): Html => ({ [made]: text });

export const markup = (value: Html): string => value[made];

function textOf(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(textOf).join('');
  return typeof value === 'object' ? (value as Html)[made] : escaped(String(value));
}

/** For HTML and SVG, in text and in attributes; what cannot be seen is its code. */
export const escaped = (text: string): string =>
  visible(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
