/** Messages of `distillery new` about a student of a family that only the PyTorch engine supports. */
import type { Need } from '../../curriculum/training/memory';
import type { OtherFamily } from '../../student-files/other-family';
import { gigabytes } from '../../words';

export function familyNote({ reason }: OtherFamily, installed: boolean): string {
  const only = `Only the PyTorch engine supports this student (${reason}), so the experiment has "backend": "torch".`;
  if (installed) return only;
  const way =
    'Set it up before the run: `distillery engine install` (in the editor: Distillery: Set Up PyTorch Engine)';
  return `${only} No PyTorch engine is set up here. ${way}.`;
}

/** With fewer parameters, the memory is not mentioned. */
const notable = 50_000_000;

/** What is known without the engine. Once installed, it estimates the memory, but not the time. */
export function familyNeeds({ parameters }: OtherFamily, installed: boolean): Need[] {
  const time = 'PyTorch gives no estimate of the time before a run; the run shows the time left.';
  if (installed || parameters === null || parameters < notable) return [{ level: 'info', text: time }];
  const [half, full] = [2, 4].map((bytes) => gigabytes(bytes * parameters));
  const weights = `The weights alone take about ${half} of memory in bfloat16 (on a GPU), ${full} in float32.`;
  return [weights, time].map((text) => ({ level: 'info', text }));
}
