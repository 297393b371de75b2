import { UserError } from '../errors';

/** The placeholder for the question in a user's own prompt. */
const questionMark = '{question}';

/** The prompt of a teacher: the reply has the form that students learn (src/chain/prompts.ts). */
export const defaultPrompt = `${questionMark}

Solve this step by step. Write the solution as numbered steps, one a line ("Step 1: ..."), each with its calculation \
and no more words than it needs. End with a line "Answer: " followed by the answer alone.`;

/** Validates a template: it must contain the placeholder exactly once. */
export function checkPrompt(template: string, file?: string): string {
  if (template.includes(questionMark)) return template;
  throw new UserError(`the prompt does not have a place for the question`, {
    file,
    code: 'usage',
    remedy: `Write ${questionMark} where the question goes.`,
  });
}

export function promptFor(template: string, question: string): string {
  // Not replace(): "$&" in a question means nothing special.
  return template.split(questionMark).join(question);
}
