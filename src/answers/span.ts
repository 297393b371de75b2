/** A range of UTF-16 code units of some text: the start is inclusive, the end exclusive. */
export interface Span {
  start: number;
  end: number;
}
