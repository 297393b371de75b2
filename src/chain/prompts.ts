import type { Chain, Exercise } from './types';

/**
 * Every text that the student is prompted with or trained to write, so that stages and test agree exactly (in the
 * BRIDGE release they differ in language and answer mark). Short, because the built-in student is tiny.
 */

/** Replaces a masked step or number. */
export const maskText = '[MASK]';

/** The answer line, the same for all stages and the test. */
export function answerLine(answer: string): string {
  return `Answer: ${answer}`;
}

/**
 * A chain as text: "Thinking: ..." (omitted if empty), "Step k: ..." for each step, and the answer line (omitted if
 * empty). `splitChain` is the inverse if no part contains marks of its own.
 */
export function renderChain(chain: Chain): string {
  const lines = chain.steps.map((step, i) => `Step ${i + 1}: ${step}`);
  if (chain.thinking) lines.unshift(`Thinking: ${chain.thinking}`);
  if (chain.answer) lines.push(answerLine(chain.answer));
  return lines.join('\n');
}

/**
 * A chain as completion of a prompt that ends with an open thinking section, which `close` closes: the chain's
 * thinking, if any, then the solution. With null the prompt opens none, and this is `renderChain`.
 */
export function renderCompletion(chain: Chain, close: string | null): string {
  if (close === null) return renderChain(chain);
  return `${chain.thinking}\n${close}\n\n${renderChain({ ...chain, thinking: '' })}`;
}

/** The question alone: the prompt of plain fine-tuning, of the last part of Stage 2, of replay and of every test. */
export function plainPrompt(question: string): string {
  return `Question: ${question}\nSolution:\n`;
}

/** Stage 1: shuffled steps with gaps. */
export function reconstructPrompt(question: string, exercise: Exercise): string {
  return withSteps(question, 'Steps, shuffled, some missing:', exercise);
}

const completeHeading = 'Steps, some missing:';

/** Whether a prompt shows steps to be completed. */
export const showsSteps = (prompt: string): boolean => prompt.includes(`\n${completeHeading}\n`);

/** Stage 2: steps in order with gaps. */
export function completePrompt(question: string, exercise: Exercise): string {
  return withSteps(question, completeHeading, exercise);
}

/**
 * Stage 3: the teacher's chain, with or without its answer line, to be rewritten in fewer words; `wrongStep` is the
 * step that a person marked as the student's first wrong one.
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

/** Without steps this is the plain question, as in the test. */
function withSteps(question: string, heading: string, exercise: Exercise): string {
  if (exercise.shownSteps.length === 0) return plainPrompt(question);
  // A step with several lines is joined to one, so that each line of the list is a step.
  const lines = exercise.shownSteps.map((step) => `- ${oneLine(step)}`);
  return `Question: ${question}\n${heading}\n${lines.join('\n')}\nSolution:\n`;
}
