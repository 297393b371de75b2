import { UserError } from '../errors';

/** Where the question stands in a prompt of the user's own. */
export const questionMark = '{question}';

/** What a teacher is asked: the form of its reply is the one that students learn (src/chain/prompts.ts). */
export const defaultPrompt = `${questionMark}

Solve this step by step. Write the solution as numbered steps, one a line ("Step 1: ..."), each with its calculation \
and no more words than it needs. End with a line "Answer: " followed by the answer alone.`;

/** A template that can be used: it holds the question exactly where it says. */
export function checkPrompt(template: string, file?: string): string {
  if (template.includes(questionMark)) return template;
  throw new UserError(`the prompt does not say where the question goes`, {
    file,
    code: 'usage',
    remedy: `Write ${questionMark} where it is to stand.`,
  });
}

export function promptFor(template: string, question: string): string {
  // Not replace(): "$&" in a question means nothing special.
  return template.split(questionMark).join(question);
}
