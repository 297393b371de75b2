/** Time left in words, the same everywhere: in steps that do not change every second. */
export function timeLeftText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return 'under 1 min left';
  if (minutes < 60) return `${minutes} min left`;
  const [hours, rest] = [Math.floor(minutes / 60), 5 * Math.floor((minutes % 60) / 5)];
  return rest === 0 ? `${hours} h left` : `${hours} h ${rest} min left`;
}
