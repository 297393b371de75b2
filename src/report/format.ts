/** Numbers as people read them. */
export const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

/** `+1.7`, `−0.4`; what rounds to 0 has no minus. */
export function signed(value: number, digits = 1): string {
  const rounded = Number(value.toFixed(digits));
  return `${rounded < 0 ? '−' : '+'}${Math.abs(rounded).toFixed(digits)}`;
}

/** Seconds as 0:07, 12:30 or 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** How fast an engine was found to be: `4310 tokens/s, 81 GFLOP/s`; empty where nothing was measured. */
export function speedText({ gflops, tokensPerSecond }: { gflops?: number; tokensPerSecond?: number }): string {
  const digits = (value: number) => (value < 10 ? value.toPrecision(2) : value.toFixed(0));
  const parts: string[] = [];
  if (tokensPerSecond !== undefined) parts.push(`${tokensPerSecond.toFixed(0)} tokens/s`);
  if (gflops !== undefined)
    parts.push(gflops < 1000 ? `${digits(gflops)} GFLOP/s` : `${digits(gflops / 1000)} TFLOP/s`);
  return parts.join(', ');
}
