/** The measured speed of an engine: `4310 tokens/s, 81 GFLOP/s`; empty if not measured. */
export function speedText({ gflops, tokensPerSecond }: { gflops?: number; tokensPerSecond?: number }): string {
  const digits = (value: number) => (value < 10 ? value.toPrecision(2) : value.toFixed(0));
  const parts: string[] = [];
  if (tokensPerSecond !== undefined) parts.push(`${tokensPerSecond.toFixed(0)} tokens/s`);
  if (gflops !== undefined)
    parts.push(gflops < 1000 ? `${digits(gflops)} GFLOP/s` : `${digits(gflops / 1000)} TFLOP/s`);
  return parts.join(', ');
}
