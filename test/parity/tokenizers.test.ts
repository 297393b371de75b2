import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { type ChatMessage, renderChat } from '../../src/model/chat-template';
import { loadStudentTokenizer } from '../../src/model/hf-folder';
import { promptStyle } from '../../src/model/prompting';
import type { Tokenizer } from '../../src/model/tokenizer';
import { packageRoot } from '../../src/paths';
import { readFixture } from './fixtures';

interface Fixture {
  seed: number;
  texts: number;
  block: number;
  ranges: [number, number][];
  pieces: string[];
  chats: ChatMessage[][];
  tokenizers: Record<'qwen2.5' | 'smollm2', { generated: string[]; gsm8k: string[]; chats: number[][] }>;
}

const fixture = readFixture<Fixture>('tokenizers.json');
const rows = resolve(packageRoot(), '../shared/data/gsm8k/train.jsonl');
/** Null, with a line on stderr that says why, where a peer is out of reach. */
const paths = { 'qwen2.5': await peer('qwen2.5-tokenizer'), smollm2: await peer('smollm2') };

/** The texts of scripts/fixtures/token_ids.py, from the same generator. */
function* generated({ seed, texts, ranges, pieces }: Fixture): Generator<string> {
  let state = seed;
  const draw = (n: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
  for (let text = 0; text < texts; text++) {
    let parts = '';
    for (let part = 1 + draw(20); part > 0; part--) {
      if (draw(2) === 0) parts += pieces[draw(pieces.length)];
      else {
        const [first, last] = ranges[draw(ranges.length)];
        for (let i = 1 + draw(6); i > 0; i--) parts += String.fromCodePoint(first + draw(last - first + 1));
      }
    }
    yield parts;
  }
}

function* gsm8k(): Generator<string> {
  for (const line of readFileSync(rows, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(0, fixture.texts / 2)) {
    const { question, answer } = JSON.parse(line) as { question: string; answer: string };
    yield question;
    yield answer;
  }
}

/** Numbers of the blocks of texts whose ids are others than those of Hugging Face's tokenizers. */
function differing(tokenizer: Tokenizer, texts: string[], expected: string[]): string[] {
  const found: string[] = [];
  expect(expected.length * fixture.block).toBe(texts.length);
  expected.forEach((hash, i) => {
    const digest = createHash('sha256');
    for (const text of texts.slice(i * fixture.block, (i + 1) * fixture.block))
      digest.update(Uint32Array.from([...tokenizer.encode(text), 0xffffffff]));
    if (digest.digest('hex').slice(0, 12) !== hash)
      found.push(`texts ${i * fixture.block} to ${(i + 1) * fixture.block - 1}`);
  });
  return found;
}

describe.each(['qwen2.5', 'smollm2'] as const)('the tokenizer of %s', (name) => {
  const path = paths[name];
  const expected = fixture.tokenizers[name];
  const tokenizer = path === null ? null : loadStudentTokenizer(path);

  it.skipIf(!tokenizer)('gives the ids of Hugging Face tokenizers for texts of many scripts, spaces and signs', () => {
    expect(differing(tokenizer!, [...generated(fixture)], expected.generated)).toEqual([]);
  });

  it.skipIf(!tokenizer || !existsSync(rows))(`gives them for the training rows of GSM8K (${rows})`, () => {
    expect(differing(tokenizer!, [...gsm8k()], expected.gsm8k)).toEqual([]);
  });

  it.skipIf(!tokenizer)('gives the ids of apply_chat_template for chats', () => {
    fixture.chats.forEach((chat, i) => {
      expect(tokenizer!.encode(renderChat(tokenizer!.chatTemplate!, chat, true))).toEqual(expected.chats[i]);
    });
    expect(promptStyle(tokenizer!, {})).toBe('chat'); // both are instruct models
  });

  it.skipIf(!tokenizer)('gives a text back from its ids', () => {
    for (const text of [...generated(fixture)].slice(0, 500)) {
      const control = /<\|(im_start|im_end|endoftext)\|>/g; // which `decode` leaves out
      const same = name === 'qwen2.5' ? text.normalize('NFC') : text;
      expect(tokenizer!.tokenTexts(tokenizer!.encode(text)).join('')).toBe(same);
      expect(tokenizer!.decode(tokenizer!.encode(text))).toBe(same.replace(control, ''));
    }
  });
});
