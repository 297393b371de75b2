/** Logs of Inspect (`.eval`): a zip file with a JSON file per answer. */
import { basename } from 'node:path';
import { datasetError } from '../data/rows';
import { openZip } from '../zip';
import { completionText, lastQuestion, messagesOf, textOfMessages } from './conversation';
import type { LoggedCompletion } from './logged';
import { parsePython } from './rows';

export interface InspectLog {
  task: string;
  model: string;
}

/** The subject of the evaluation. @throws UserError for a damaged file, or one that is not a log of Inspect */
export async function inspectHead(file: string): Promise<InspectLog> {
  const zip = await openZip(file);
  try {
    // Without header.json the evaluation is still running.
    const bytes = (await zip.read('header.json')) ?? (await zip.read('_journal/start.json'));
    if (!bytes)
      throw datasetError('this zip file is not an Inspect log', { file }, 'Name an .eval file, or a folder of them.');
    const { eval: spec } = parsePython(bytes.toString('utf8'), { file }) as { eval?: Record<string, unknown> };
    return { task: String(spec?.task ?? basename(file)), model: String(spec?.model ?? 'model') };
  } finally {
    await zip.close();
  }
}

interface Sample {
  id?: unknown;
  input?: unknown;
  target?: unknown;
  messages?: unknown;
  output?: { choices?: { message?: unknown; stop_reason?: unknown }[]; usage?: { output_tokens?: unknown } };
  scores?: Record<string, { value?: unknown; answer?: unknown }> | null;
  attachments?: Record<string, string>;
  error?: unknown;
}

/** The answers one by one; those that ended in an error are skipped. */
export async function* inspectAnswers(file: string): AsyncGenerator<LoggedCompletion> {
  const zip = await openZip(file);
  try {
    for (const name of zip.names.filter((one) => /^samples\/.*\.json$/.test(one))) {
      const text = (await zip.read(name))!.toString('utf8');
      const logged = answerOf(parsePython(text, { file: `${file}/${name}` }) as Sample, file);
      if (logged) yield logged;
    }
  } finally {
    await zip.close();
  }
}

function answerOf(
  { id, input, target, messages, output, scores, attachments = {}, error }: Sample,
  file: string,
): LoggedCompletion | undefined {
  const [choice] = output?.choices ?? [];
  const said = messagesOf([choice?.message]);
  if (error || !choice || !said) return undefined;
  const whole = (text: string) =>
    text.replace(/attachment:\/\/([\w-]+)/g, (mark, hash: string) => attachments[hash] ?? mark);
  const asked = messagesOf(messages);
  const before = asked?.slice(
    0,
    asked.findIndex(({ role }) => role === 'assistant'),
  );
  const given = messagesOf(input);
  const question = whole(given ? (lastQuestion(given) ?? textOfMessages(given)) : String(input));
  const parts: LoggedCompletion['parts'] = {};
  for (const [name, { value }] of Object.entries(scores ?? {})) parts[name] = scoreOf(value);
  const [first] = Object.keys(parts);
  const right = first === undefined ? null : parts[first];
  const answer = scores?.[first]?.answer;
  const length = output?.usage?.output_tokens;
  const targets = Array.isArray(target) ? target : [target];
  return {
    place: { file },
    prompt: whole(before && before.length > 0 ? textOfMessages(before) : question),
    question,
    text: whole(completionText(said)),
    id: String(id),
    gold: targets.map(String).join(' or '),
    parts,
    reward: right,
    finished: choice.stop_reason !== 'max_tokens' && choice.stop_reason !== 'model_length',
    ...(right !== null && { correct: right > 0.5 }),
    ...(typeof answer === 'string' && { answer }),
    ...(typeof length === 'number' && { length }),
  };
}

/** Inspect's grades: correct, partially correct, incorrect, no answer. */
const letters: Record<string, number> = { C: 1, P: 0.5, I: 0, N: 0 };

function scoreOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' ? (letters[value] ?? null) : null;
}
