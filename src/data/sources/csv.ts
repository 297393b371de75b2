/** CSV and TSV with a header. */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { datasetError, type RowPlace } from '../rows';
import type { Bytes } from './bytes';
import type { RowSource, SourceRow } from './source';

export function csvRows(bytes: Bytes): RowSource {
  return {
    *rows() {
      const { file } = bytes;
      const text = Buffer.concat([...bytes.chunks()].map((chunk) => Buffer.from(chunk)));
      if (!isUtf8(text)) throw datasetError('the file is not UTF-8', { file }, 'Save it as UTF-8.');
      const declared = /^\uFEFF?sep=(.)\r?\n/.exec(text.toString('utf8', 0, 16)); // Excel's
      const faults: SourceRow[] = [];
      let records: { record: Record<string, string>; info: { lines: number } }[];
      try {
        records = parse(text, {
          bom: true,
          columns: true,
          info: true,
          delimiter: declared?.[1] ?? delimiterOf(text),
          from_line: declared ? 2 : 1,
          // As other readers of CSV do: a stray quote is a quote, and lines may end differently.
          record_delimiter: ['\r\n', '\n', '\r'],
          relax_quotes: true,
          skip_empty_lines: true,
          skip_records_with_empty_values: true,
          skip_records_with_error: true,
          on_skip: (error) => {
            const place: RowPlace = { file, line: Number(error?.lines ?? 1) };
            faults.push({
              fault: datasetError(error?.message ?? 'a damaged row', place, 'Correct or remove the row.'),
              place,
              index: -1,
            });
          },
        }) as unknown as typeof records;
      } catch (error) {
        throw datasetError(`this CSV file cannot be read: ${(error as Error).message}`, { file }, 'Save it again.');
      }
      yield* faults;
      // `lines` is the line on which a record ends.
      for (const [index, { record, info }] of records.entries())
        yield { row: record, place: { file, line: info.lines }, index };
    },
  };
}

/** The delimiter that occurs most often in the header, outside of quotes. */
function delimiterOf(text: Buffer): string {
  const heading = /^[^\n]*/.exec(text.toString('utf8', 0, 1 << 16))![0].replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => heading.split(delimiter).length;
  return ['\t', ';', '|'].reduce((best, other) => (count(other) > count(best) ? other : best), ',');
}
