/**
 * Splits the text of a chain into parts by line: sections, thinking, steps, answers. Used for symbols, folding and
 * navigation.
 */

export type PartKind = 'section' | 'question' | 'gold' | 'thinking' | 'step' | 'answer';

/** Lines count from 0; `end` is the last line of the part. */
export interface CasePart {
  kind: PartKind;
  /** "Step 3", "Student: ...". */
  name: string;
  /** The text after the marker, on the same line. */
  detail: string;
  start: number;
  end: number;
}

const marks: [PartKind, RegExp][] = [
  ['section', /^## (?!#)(?<name>[^:]*)(?<detail>.*)$/],
  ['question', /^(?<name>Question):\s*(?<detail>.*)$/],
  ['gold', /^(?<name>Reference answer):\s*(?<detail>.*)$/],
  ['answer', /^(?:[ \t>*-]{0,8})(?<name>(?:Final )?Answer)[ \t]?:[ \t*]*(?<detail>.*)$/i],
  ['answer', /^(?<name>####)[ \t]*(?<detail>.+)$/],
  ['thinking', /^[ \t]{0,8}\*{0,2}(?<name>Thinking)(?::|…|\.\.\.)\*{0,2}[ \t]*(?<detail>.*)$/],
  ['thinking', /^[ \t]{0,8}<(?<name>think)>[ \t]*(?<detail>.*)$/],
  [
    'step',
    /^[ \t]{0,8}(?:[#>*-]{1,6}[ \t]{0,4}){0,2}(?<name>Step[ \t]?\d{1,4})[ \t]?[:.)]\*{0,2}[ \t]*(?<detail>.*)$/i,
  ],
  ['step', /^[ \t]{0,8}(?<name>\d{1,3})[.)][ \t]+(?<detail>.*)$/],
];

/**
 * The parts in order. A part ends where the next begins; a section, where the next section begins. Linear in the length
 * of the text.
 */
export function outlineOf(text: string): CasePart[] {
  const lines = text.split(/\r\n?|\n/);
  const parts: CasePart[] = [];
  for (const [line, content] of lines.entries()) {
    for (const [kind, pattern] of marks) {
      const found = pattern.exec(content.slice(0, 400))?.groups;
      if (!found) continue;
      const detail = found.detail.replace(/^:\s*/, '').trim();
      parts.push({ kind, name: found.name.trim(), detail, start: line, end: line });
      break;
    }
  }
  // The last line with text before the next part, and before the next section.
  const lastLine = (before: number) => {
    let line = before - 1;
    while (line > 0 && lines[line].trim() === '') line--;
    return line;
  };
  let beforePart = lastLine(lines.length);
  let beforeSection = beforePart;
  for (const part of parts.toReversed()) {
    part.end = Math.max(part.start, part.kind === 'section' ? beforeSection : beforePart);
    beforePart = lastLine(part.start);
    if (part.kind === 'section') beforeSection = beforePart;
  }
  return parts;
}
