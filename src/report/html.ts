/** HTML without scripts. Values in the template are escaped; only the template itself is markup. */
import { visible } from '../foreign-text';

const htmlBrand = Symbol('html');
export interface Html {
  readonly [htmlBrand]: string;
}

type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return raw(parts.reduce((text, part, i) => text + part + (i < values.length ? textOf(values[i]) : ''), ''));
}

/** Markup from elsewhere, such as one of our drawings. */
export const raw = (text: string): Html => ({ [htmlBrand]: text });

export const markup = (value: Html): string => value[htmlBrand];

function textOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(textOf).join('');
  return typeof value === 'object' ? (value as Html)[htmlBrand] : escaped(String(value));
}

/** Escapes for HTML and SVG, in text and attributes; invisible characters are shown by their codes. */
export const escaped = (text: string): string =>
  visible(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
