/** Parquet by row groups; only the requested columns are decoded. */
import { openParquet } from './parquet-file';
import type { RowSource } from './source';

export function parquetRows(file: string): RowSource {
  const { columns, count } = opened(file, ({ columns, rows }) => ({ columns, count: rows }));
  return {
    columns,
    count,
    *rows(from, wanted = columns) {
      const parquet = openParquet(file);
      try {
        const known = wanted.filter((name) => columns.includes(name));
        for (const { first, values } of parquet.read(known, from, parquet.rows)) {
          const cells = known.map((name) => [name, values.get(name) ?? []] as const);
          const rows = Math.max(0, ...cells.map(([, column]) => column.length));
          for (let i = Math.max(0, from - first); i < rows; i++) {
            const row = Object.fromEntries(cells.map(([name, column]) => [name, column[i]]));
            yield { row, place: { file, row: first + i + 1 }, index: first + i };
          }
        }
      } finally {
        parquet.close();
      }
    },
  };
}

function opened<T>(file: string, use: (parquet: ReturnType<typeof openParquet>) => T): T {
  const parquet = openParquet(file);
  try {
    return use(parquet);
  } finally {
    parquet.close();
  }
}
