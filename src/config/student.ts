/** Settings of the student: which model, and how it is asked. */
import { choice, text } from './fields';

export const studentFields = () => ({
  path: text(
    'Hugging Face folder or .gguf file, relative to this file, or a ' +
      'model of the Hugging Face Hub such as Qwen/Qwen2.5-0.5B.',
  ),
  prompt: choice('How the student is asked.', {
    auto:
      'chat for a student that was trained to chat (it ends its texts ' +
      'as its chat template ends a turn), else plain.',
    plain: 'By a text that it goes on with.',
    chat: 'By a message in its chat template (tokenizer_config.json or chat_template.jinja).',
  }).default('auto'),
  system: text('System message of the chat; without it, what the template has of its own.').optional(),
});

export type PromptStyle = 'plain' | 'chat';
