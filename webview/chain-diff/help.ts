/** The keys, on demand. */
import { element } from '../common/dom';

const keys: [string, string][] = [
  ['↑ ↓  or  j k', 'row up, down'],
  ['← →', 'column left, right'],
  ['Alt+← Alt+→', 'token by token within the cell, with its numbers'],
  ['n  Shift+n', 'next, previous difference'],
  ['w', 'first wrong step; Shift+w marks the focused step of the student as the first wrong one'],
  ['Enter  or  Space', 'fold or unfold the step; Shift+f: all steps'],
  ['1 – 7', 'overlay: Diff, Log-prob, Reference, Entropy, KL, Advantage, Reward'],
  ['i', 'inline or columns; x swaps what inline compares'],
  ['t  s  z', 'hide or show the teacher, student, third column'],
  ['[  ]', 'previous, next case'],
  ['g', 'go to the group: arrows choose, Enter shows, Shift+Enter shows in the third column'],
  ['v  Shift+v', 'next, previous rewrite of the problem'],
  ['a  e  d', 'accept, edit, reject (discard) the rewrite shown'],
  ['l', 'formulas and Markdown rendered, or the text as written'],
  ['m', 'go to the slider through training'],
  ['/  or  Ctrl+F', 'search; Enter, Shift+Enter: next, previous match; Escape closes'],
  ['c', 'copy the chain of this column exactly'],
  ['o', 'open as text: the teacher’s chain against this column’s, in the editor’s own diff'],
  ['r', 'open the record of this column'],
  ['?', 'this list'],
];

export function makeHelp(): HTMLDialogElement {
  const dialog = element(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    element('dl', {}, ...keys.flatMap(([key, what]) => [element('dt', {}, key), element('dd', {}, what)])),
    element('button', { class: 'plain', onclick: () => dialog.close() }, 'Close'),
  );
  dialog.addEventListener('keydown', (event) => {
    if (event.key === '?') dialog.close();
    event.stopPropagation();
  });
  return dialog;
}
