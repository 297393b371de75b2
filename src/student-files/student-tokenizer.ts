/** The tokenizer of a student, without the engine. */
import { ggufAt, ggufTokenizer, withGguf } from './gguf/student';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** The tokenizer of a folder with tokenizer.json, or of a GGUF file. @throws UserError when it is missing or damaged */
export function tokenizerAt(path: string): Tokenizer {
  const gguf = ggufAt(path);
  return gguf === null ? loadTokenizer(path) : withGguf(gguf, ggufTokenizer);
}
