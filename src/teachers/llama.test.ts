import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { UserError } from '../errors';
import { thrown } from '../testing/errors';
import { llamaTeacher } from './llama';
import { collectReply } from './reply';

const folder = mkdtempSync(join(tmpdir(), 'distillery-llama-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const never = new AbortController().signal;
const request = {
  prompt: 'What is the capital of France? Answer in one word.',
  temperature: 0,
  maxTokens: 24,
  seed: 1,
};

describe('a teacher in a GGUF file', () => {
  it('reports what is missing', () => {
    expect(() => llamaTeacher({ file: join(folder, 'no.gguf'), concurrency: 1, contextTokens: 256 })).toThrow(
      'no such file',
    );
  });

  it('answers by llama.cpp, several questions at a time, and can be stopped', async ({ skip }) => {
    const [library, file] = [await peer('node-llama-cpp'), await peer('smollm2')];
    if (!library || !file) return skip('node-llama-cpp or SmolLM2 is not available');
    const teacher = llamaTeacher({ file, library, concurrency: 2, contextTokens: 256, threads: 1 });
    try {
      const both = await Promise.all(
        [1, 2].map(() => collectReply(teacher.ask(request, never), request.prompt.length)),
      );
      expect(both[0].text).toContain('Paris');
      expect(both[1]).toEqual(both[0]); // greedy
      expect(both[0].usage.prompt).toBeGreaterThan(10);
      expect(both[0].usage.completion).toBeGreaterThan(0);
      expect(both[0].estimated).toBeUndefined();
      const short = await collectReply(
        teacher.ask({ ...request, prompt: 'Tell a long story.', maxTokens: 5 }, never),
        0,
      );
      expect(short.finished).toBe(false);
      const abort = new AbortController();
      const stopped = collectReply(
        teacher.ask({ ...request, prompt: 'Tell a long story.', maxTokens: 400 }, abort.signal),
        0,
        { piece: () => abort.abort() },
      );
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      expect((await collectReply(teacher.ask(request, never), 0)).text).toBe(both[0].text);
    } finally {
      await teacher.dispose!();
    }
  });

  it('refuses a file that is no model', () => {
    const file = join(folder, 'broken.gguf');
    for (const bytes of ['GGUF and then nothing of the kind', 'GGUF', '']) {
      writeFileSync(file, bytes);
      expect(() => llamaTeacher({ file, concurrency: 1, contextTokens: 256 })).toThrow('this is not a GGUF file');
    }
  });

  it('names the package where it is not installed', () => {
    const file = join(folder, 'some.gguf');
    const head = Buffer.alloc(24);
    head.write('GGUF');
    head.writeUInt32LE(3, 4);
    writeFileSync(file, head);
    const error = thrown(UserError, () => llamaTeacher({ file, concurrency: 1, contextTokens: 256 }));
    expect(error.remedy).toContain('npm install node-llama-cpp');
  });
});
