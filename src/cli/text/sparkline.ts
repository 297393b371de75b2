const blocks = [...'▁▂▃▄▅▆▇█'];

/** A curve in one line of text: means of `width` equal parts, scaled from the smallest to the largest. */
export function sparkline(values: readonly number[], width = 40): string {
  const parts = averages(
    values.filter((value) => Number.isFinite(value)),
    width,
  );
  const low = Math.min(...parts);
  const span = Math.max(...parts) - low;
  return parts
    .map((value) => blocks[span > 0 ? Math.min(blocks.length - 1, Math.floor(((value - low) / span) * 8)) : 3])
    .join('');
}

function averages(values: readonly number[], width: number): number[] {
  const count = Math.min(values.length, width);
  return Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
