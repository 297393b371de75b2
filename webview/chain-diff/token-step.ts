/**
 * Moves the mark of the cell's current token by one, starting from the cell's edge if there is none yet. Returns the
 * token;
 * null if there is none.
 */
export function stepToken(cell: Element | null | undefined, by: 1 | -1): HTMLElement | null {
  const tokens = [...(cell?.querySelectorAll<HTMLElement>('[data-token]') ?? [])];
  if (tokens.length === 0) return null;
  const at = tokens.findIndex((token) => token.classList.contains('at'));
  const edge = by > 0 ? 0 : tokens.length - 1;
  const next = tokens[at < 0 ? edge : Math.max(0, Math.min(tokens.length - 1, at + by))];
  tokens[at]?.classList.remove('at');
  next.classList.add('at');
  next.scrollIntoView({ block: 'nearest' });
  return next;
}
