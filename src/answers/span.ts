/** A range of UTF-16 code units of some text: start is included, end is not. */
export interface Span {
  start: number;
  end: number;
}
