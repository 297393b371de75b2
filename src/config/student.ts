/** Settings of the student: the model, and the prompt format. */
import { choice, text } from '../fields';

export const studentFields = () => ({
  path: text(
    'Hugging Face folder or .gguf file, relative to this file, or a ' +
      'model of the Hugging Face Hub such as Qwen/Qwen2.5-0.5B.',
  ),
  prompt: choice('The prompt format.', {
    auto:
      'chat for a student that was trained to chat (its end token is ' +
      'that of a turn in its chat template), else plain.',
    plain: 'Plain text that the student continues.',
    chat: 'A message in its chat template (tokenizer_config.json or chat_template.jinja).',
  }).default('auto'),
  system: text("System message of the chat (default: the template's own).").optional(),
});

export type PromptStyle = 'plain' | 'chat';
