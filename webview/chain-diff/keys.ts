/** Keyboard commands (listed for the reader in help.ts). */
import { overlays } from './overlays';
import type { ChainDiffPage } from './page';

/** The page handles keys unless the focus is in a text field or a choice. */
export function listenToKeys(page: ChainDiffPage): void {
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if ((ctrlKey || metaKey) && key.toLowerCase() === 'f') {
      run(event, () => page.openSearch());
      return;
    }
    if (ctrlKey || metaKey || !(target instanceof HTMLElement)) return;
    if (target.closest('input, vscode-text-field, vscode-dropdown, dialog')) return;
    if (altKey) {
      if (key === 'ArrowRight') run(event, () => page.moveToken(1));
      if (key === 'ArrowLeft') run(event, () => page.moveToken(-1));
      return;
    }
    // Buttons and summaries keep their own keys.
    if ((key === 'Enter' || key === ' ') && target.closest('button, summary')) return;
    const action = actions[key];
    if (action) run(event, () => action(page));
  });
}

function run(event: KeyboardEvent, action: () => void): void {
  event.preventDefault();
  action();
}

const actions: Record<string, (page: ChainDiffPage) => void> = {
  ArrowDown: (page) => page.move(1, 0),
  j: (page) => page.move(1, 0),
  ArrowUp: (page) => page.move(-1, 0),
  k: (page) => page.move(-1, 0),
  PageDown: (page) => page.move(8, 0),
  PageUp: (page) => page.move(-8, 0),
  Home: (page) => page.move(Number.NEGATIVE_INFINITY, 0),
  End: (page) => page.move(Number.POSITIVE_INFINITY, 0),
  ArrowRight: (page) => page.move(0, 1),
  ArrowLeft: (page) => page.move(0, -1),
  Enter: (page) => page.foldFocused(),
  ' ': (page) => page.foldFocused(),
  F: (page) => page.table.foldAll(),
  n: (page) => page.nextDifference(1),
  N: (page) => page.nextDifference(-1),
  w: (page) => page.goToFault(),
  i: (page) => page.toggleInline(),
  x: (page) => page.nextPair(),
  t: (page) => page.toggleColumn('teacher'),
  s: (page) => page.toggleColumn('student'),
  z: (page) => page.toggleColumn('rewritten'),
  '[': (page) => page.post({ type: 'go', by: -1 }),
  ']': (page) => page.post({ type: 'go', by: 1 }),
  g: (page) => page.focusGroup(),
  m: (page) => page.focusSlider(),
  v: (page) => page.nextRewrite(1),
  V: (page) => page.nextRewrite(-1),
  l: (page) => page.toggleRendered(),
  a: (page) => page.decide('accept'),
  e: (page) => page.decide('edit'),
  d: (page) => page.decide('reject'),
  W: (page) => page.markStep(),
  '/': (page) => page.openSearch(),
  c: (page) => page.copy(),
  o: (page) => page.openText(),
  r: (page) => page.openRecord(),
  '?': (page) => page.openHelp(),
  ...Object.fromEntries(
    overlays.map((overlay, i) => [String(i + 1), (page: ChainDiffPage) => page.setOverlay(overlay)]),
  ),
};
