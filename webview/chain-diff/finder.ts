/** Search in the chains: its box, its matches, and the current match. */
import type { ChainView } from '../../src/protocol/chain-diff';
import type { DiffRow } from './rows';
import { findAll, type Match } from './search';
import { makeSearchBox, type SearchBox } from './toolbar';

interface Searched {
  chains(): readonly ChainView[];
  rows(): readonly DiffRow[];
  /** The marks have changed. */
  draw(): void;
  /** Shows a match, and unfolds what hides it. */
  goTo(match: Match): void;
  closed(): void;
}

export class Finder {
  box: SearchBox | null = null;
  matches: Match[] = [];
  current: Match | null = null;
  private query = '';

  constructor(private readonly searched: Searched) {}

  /** The box, created on first use. */
  open(): SearchBox {
    this.box ??= makeSearchBox({
      find: (query) => this.find(query),
      next: (by) => this.next(by),
      close: () => this.close(),
    });
    return this.box;
  }

  /** The chains or their alignment have changed. */
  again(): void {
    this.matches = findAll(this.searched.chains(), this.searched.rows(), this.query);
    this.current = null;
  }

  private find(query: string): void {
    this.query = query;
    this.again();
    if (this.matches.length > 0) this.next(1);
    else {
      this.box?.say(query.trim() === '' ? '' : 'not found');
      this.searched.draw();
    }
  }

  private next(by: 1 | -1): void {
    const { matches } = this;
    if (matches.length === 0) return;
    const outside = by > 0 ? -1 : 0;
    const at = this.current ? matches.indexOf(this.current) : outside;
    this.current = matches[(at + by + matches.length) % matches.length];
    this.searched.goTo(this.current);
    this.box?.say(`${matches.indexOf(this.current) + 1} of ${matches.length}`);
  }

  private close(): void {
    this.box?.root.remove();
    this.box = null;
    this.query = '';
    this.matches = [];
    this.current = null;
    this.searched.closed();
  }
}
