import type { Chain, Exercise } from './types';

/**
 * Every text that the student is prompted with or trained to write, so that the stages and the test agree to the letter
 * (the BRIDGE release lets them differ, in language and in the answer mark). Short, as the built-in student is tiny.
 */

/** What stands where a step or a number was taken out. */
export const maskText = '[MASK]';

/** The one answer line, the same for all stages and the test. */
export function answerLine(answer: string): string {
  return `Answer: ${answer}`;
}

/**
 * A chain as text: "Thinking: ..." (left out when empty), "Step k: ..." a step, and the answer line (left out when
 * empty). `splitChain` gives the chain back when no part holds marks of its own.
 */
export function renderChain(chain: Chain): string {
  const lines = chain.steps.map((step, i) => `Step ${i + 1}: ${step}`);
  if (chain.thinking) lines.unshift(`Thinking: ${chain.thinking}`);
  if (chain.answer) lines.push(answerLine(chain.answer));
  return lines.join('\n');
}

/**
 * A chain as a completion of a prompt that ends in open thinking, which `close` closes: the chain's thinking, or none,
 * then the solution. With null the prompt opens none, and this is `renderChain`.
 */
export function renderCompletion(chain: Chain, close: string | null): string {
  if (close === null) return renderChain(chain);
  return `${chain.thinking}\n${close}\n\n${renderChain({ ...chain, thinking: '' })}`;
}

/** The question alone: the prompt of plain fine-tuning, of the last part of Stage 2, of replay and of every test. */
export function plainPrompt(question: string): string {
  return `Question: ${question}\nSolution:\n`;
}

/** Stage 1: the steps out of order and with gaps. */
export function reconstructPrompt(question: string, exercise: Exercise): string {
  return withSteps(question, 'Steps, shuffled, some missing:', exercise);
}

const completeHeading = 'Steps, some missing:';

/** Whether a prompt shows steps to be completed. */
export const showsSteps = (prompt: string): boolean => prompt.includes(`\n${completeHeading}\n`);

/** Stage 2: the steps in order and with gaps. */
export function completePrompt(question: string, exercise: Exercise): string {
  return withSteps(question, completeHeading, exercise);
}

/**
 * Stage 3: the teacher's chain, with or without its answer line, to be said again in fewer words; with `wrongStep`, the
 * step in which the student went wrong, as a person marked it.
 */
export function rewritePrompt(
  question: string,
  teacher: Chain,
  { hideAnswer, wrongStep }: { hideAnswer?: boolean; wrongStep?: string } = {},
): string {
  const shown = renderChain(hideAnswer ? { ...teacher, answer: '' } : teacher);
  const wrong = wrongStep ? `A wrong step: ${oneLine(wrongStep)}\n` : '';
  return `Question: ${question}\nA correct solution:\n${shown}\n${wrong}A much shorter solution:\n`;
}

const oneLine = (step: string) => step.replace(/\s+/g, (gap) => (gap.includes('\n') ? ' ' : gap));

/** With no step to show this is the plain question, as the test asks it. */
function withSteps(question: string, heading: string, exercise: Exercise): string {
  if (exercise.shownSteps.length === 0) return plainPrompt(question);
  // A step of several lines is shown on one, so that each line of the list is a step.
  const lines = exercise.shownSteps.map((step) => `- ${oneLine(step)}`);
  return `Question: ${question}\n${heading}\n${lines.join('\n')}\nSolution:\n`;
}
