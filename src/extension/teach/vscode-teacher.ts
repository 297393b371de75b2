import { TeacherFault } from '../../teachers/faults';
import { tokensIn } from '../../teachers/reply';
import type { Teacher } from '../../teachers/types';
import * as vscode from '../vscode';

type EditorModel = Pick<vscode.LanguageModelChat, 'id' | 'name' | 'vendor' | 'family' | 'sendRequest' | 'countTokens'>;

/**
 * A language model of VS Code (from Copilot or another extension). VS Code asks for the user's consent at the first
 * request. Temperature and maximum length are requested, but a model may ignore them.
 */
export function vscodeTeacher(model: EditorModel): Teacher {
  return {
    model: model.family || model.id,
    endpoint: `vscode:${model.vendor}/${model.id}`,
    host: `VS Code (${model.vendor})`,
    async *ask({ prompt, temperature, maxTokens }, signal) {
      const cancel = new vscode.CancellationTokenSource();
      const stop = () => cancel.cancel();
      signal.addEventListener('abort', stop);
      try {
        signal.throwIfAborted();
        const messages = [vscode.LanguageModelChatMessage.User(prompt)];
        const justification = vscode.l10n.t('Chains of thought for a student to learn from.');
        const modelOptions = { temperature, max_tokens: maxTokens };
        const response = await model.sendRequest(messages, { justification, modelOptions }, cancel.token);
        let text = '';
        for await (const piece of response.text) {
          signal.throwIfAborted();
          text += piece;
          yield { kind: 'text', text: piece };
        }
        signal.throwIfAborted(); // a cancelled stream ends without an error
        const usage = { prompt: await count(model, prompt), completion: await count(model, text) };
        // VS Code does not report cut-off replies: one of maximum length counts as cut off.
        yield { kind: 'end', finished: usage.completion < maxTokens, usage };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw faultOf(error);
      } finally {
        signal.removeEventListener('abort', stop);
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
