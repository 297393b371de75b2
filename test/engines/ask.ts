/** Sets the command by which a test starts its engines. */
import { askForEngine, pythonEngine } from '../../src/engine/process/installed';

export const askFor = (...line: string[]): void =>
  askForEngine({ text: line.map((word) => `"${word}"`).join(' '), origin: 'a test' });

/** The PyTorch engine of the working tree, on this Python. */
export function askForPython(python: string): void {
  const { line, env } = pythonEngine(python, { origin: 'a test', vllm: false });
  Object.assign(process.env, env);
  askFor(...line);
}
