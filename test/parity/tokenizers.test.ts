import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { packageRoot } from '../../src/paths';
import { type ChatMessage, renderChat } from '../../src/student-files/chat-template';
import { loadStudentTokenizer } from '../../src/student-files/folder';
import { promptStyle } from '../../src/student-files/prompting';
import { readFixture } from './fixtures';
import { differing, type GeneratedTexts, generated } from './texts';

interface Fixture extends GeneratedTexts {
  block: number;
  chats: ChatMessage[][];
  tokenizers: Record<'qwen2.5' | 'smollm2', { generated: string[]; gsm8k: string[]; chats: number[][] }>;
}

const fixture = readFixture<Fixture>('tokenizers.json');
const rows = resolve(packageRoot(), '../shared/data/gsm8k/train.jsonl');
/** Null, with a line on stderr that says why, if a peer is not available. */
const paths = { 'qwen2.5': await peer('qwen2.5-tokenizer'), smollm2: await peer('smollm2') };

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

describe.each(['qwen2.5', 'smollm2'] as const)('the tokenizer of %s', (name) => {
  const path = paths[name];
  const expected = fixture.tokenizers[name];
  const tokenizer = path === null ? null : loadStudentTokenizer(path);

  it.skipIf(!tokenizer)('gives the ids of Hugging Face tokenizers for texts of many scripts, spaces and signs', () => {
    expect(differing(tokenizer!, [...generated(fixture)], fixture.block, expected.generated)).toEqual([]);
  });

  it.skipIf(!tokenizer || !existsSync(rows))(`gives them for a third of GSM8K's training rows (${rows})`, () => {
    const blocks = expected.gsm8k.slice(0, Math.ceil(expected.gsm8k.length / 3));
    expect(differing(tokenizer!, [...gsm8k()].slice(0, blocks.length * fixture.block), fixture.block, blocks)).toEqual(
      [],
    );
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
      const ids = tokenizer!.encode(text);
      expect(tokenizer!.tokenTexts(ids).join('')).toBe(same);
      expect(tokenizer!.decode(ids)).toBe(same.replace(control, ''));
    }
  });
});
