/** DISTILLERY_MEMORY_LIMIT: the maximum memory of kernels, in MiB; without it, the system's limit. */
export function memoryLimit(): number {
  const limit = Number(process.env.DISTILLERY_MEMORY_LIMIT);
  return limit > 0 ? limit * 2 ** 20 : Number.POSITIVE_INFINITY;
}

export function overLimit(bytes: number, used: number): Error {
  const mebibytes = (count: number) => Math.round(count / 2 ** 20);
  return new RangeError(
    `Array buffer allocation failed: ${bytes} bytes in addition to ${mebibytes(used)} MiB in use ` +
      `exceed DISTILLERY_MEMORY_LIMIT (${mebibytes(memoryLimit())} MiB)`,
  );
}
