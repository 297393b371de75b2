/** Turns the fix of a finding into a text edit that preserves comments and layout. */
import { findNodeAtLocation, type Node } from 'jsonc-parser';
import type { Change, Path, TextEdit } from './issue';

/** The edit that makes a change to a text with this tree; null where it cannot be made. */
export function changeText(
  { text, root }: { text: string; root: Node | undefined },
  { path, value, insert }: Change,
): TextEdit | null {
  const json = compact(value);
  const nodeAt = (wanted: Path) => root && findNodeAtLocation(root, [...wanted]);
  const there = nodeAt(path);
  if (there && !insert) return { offset: there.offset, length: there.length, text: json };
  const parent = nodeAt(path.slice(0, -1));
  const key = path[path.length - 1];
  if (parent?.type === 'array' && insert) return insertFirst(text, parent, json);
  if (parent?.type === 'object' && typeof key === 'string')
    return insertLast(text, parent, `${JSON.stringify(key)}: ${json}`);
  return null;
}

/** On one line, with conventional spacing. */
const compact = (value: unknown) => JSON.stringify(value, null, 1).replace(/\s*\n\s*/g, ' ');

function insertLast(text: string, parent: Node, property: string): TextEdit {
  const last = parent.children?.at(-1);
  if (!last) return { offset: parent.offset, length: parent.length, text: `{ ${property} }` };
  return { offset: last.offset + last.length, length: 0, text: `,${gapBefore(text, parent, last)}${property}` };
}

function insertFirst(text: string, parent: Node, item: string): TextEdit {
  const first = parent.children?.[0];
  if (!first) return { offset: parent.offset, length: parent.length, text: `[${item}]` };
  const gap = gapBefore(text, parent, first);
  return { offset: first.offset, length: 0, text: `${item},${gap}` };
}

/**
 * The separator between members of a parent: a line break with the members' indentation, or a space if all are on one
 * line.
 */
function gapBefore(text: string, parent: Node, member: Node): string {
  const indent = /(\r?\n)[ \t]*$/.exec(text.slice(parent.offset, member.offset));
  return indent ? indent[0] : ' ';
}
