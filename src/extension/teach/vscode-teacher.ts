import { type AnswerLimits, AnswerWatch } from '../../answer-limits';
import { replyLimits } from '../../teachers/connection';
import { cutOffFault, TeacherFault } from '../../teachers/faults';
import { tokensIn } from '../../teachers/reply';
import type { Teacher } from '../../teachers/types';
import * as vscode from '../vscode';

type EditorModel = Pick<vscode.LanguageModelChat, 'id' | 'name' | 'vendor' | 'family' | 'sendRequest' | 'countTokens'>;

/** A provider sends nothing while its model thinks. */
const { contentMs: silenceMs, totalMs } = replyLimits();

/**
 * A language model of VS Code (from Copilot or another extension). VS Code asks for the user's consent at the first
 * request. Temperature and maximum length are requested, but a model may ignore them.
 */
export function vscodeTeacher(
  model: EditorModel,
  limits: AnswerLimits = { silenceMs, contentMs: silenceMs, totalMs },
): Teacher {
  const host = `VS Code (${model.vendor})`;
  return {
    model: model.family || model.id,
    endpoint: `vscode:${model.vendor}/${model.id}`,
    host,
    async *ask({ prompt, temperature, maxTokens }, signal) {
      const cancel = new vscode.CancellationTokenSource();
      const watch = new AnswerWatch(limits, signal);
      try {
        signal.throwIfAborted();
        const messages = [vscode.LanguageModelChatMessage.User(prompt)];
        const justification = 'Chains of thought for a student to learn from.';
        const modelOptions = { temperature, max_tokens: maxTokens };
        const request = model.sendRequest(messages, { justification, modelOptions }, cancel.token);
        const pieces = (await watch.race(request)).text[Symbol.asyncIterator]();
        let text = '';
        for (let next = await watch.race(pieces.next()); !next.done; next = await watch.race(pieces.next())) {
          watch.took(next.value.length);
          if (next.value !== '') watch.progressed();
          text += next.value;
          yield { kind: 'text', text: next.value };
        }
        watch.signal.throwIfAborted(); // a cancelled stream ends without an error
        const usage = { prompt: await count(model, prompt), completion: await count(model, text) };
        // VS Code does not report cut-off replies: one of maximum length counts as cut off.
        yield { kind: 'end', finished: usage.completion < maxTokens, usage };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw watch.cutOff
          ? cutOffFault(watch.cutOff, host, 'Try again later, or choose another model.')
          : faultOf(error);
      } finally {
        watch.end();
        cancel.cancel();
        cancel.dispose();
      }
    },
  };
}

async function count(model: EditorModel, text: string): Promise<number> {
  try {
    return await model.countTokens(text);
  } catch {
    return tokensIn(text.length);
  }
}

function faultOf(error: unknown): TeacherFault {
  if (error instanceof TeacherFault) return error;
  const { message = String(error), code } = error as { message?: string; code?: string };
  const codes = vscode.LanguageModelError;
  if (code === codes.NoPermissions().code)
    return new TeacherFault(message || 'the language model may not be used', 'teacher', {
      remedy: 'Allow it in the Accounts menu under "Manage Language Model Access".',
    });
  if (code === codes.NotFound().code) return new TeacherFault('the language model is no longer available', 'teacher');
  if (code === codes.Blocked().code) return new TeacherFault(message || 'blocked', 'request');
  // Rate limits cannot be distinguished from other errors.
  return new TeacherFault(message, 'passing', { cause: error });
}
