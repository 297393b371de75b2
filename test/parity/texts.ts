/**
 * Texts of many scripts, spaces and signs, for comparing tokenizers: those of scripts/fixtures/token_ids.py, from the
 * same generator.
 */
import { createHash } from 'node:crypto';
import { withinTimeTogether } from '../../src/bounded';
import type { Tokenizer } from '../../src/student-files/tokenizer';

export interface GeneratedTexts {
  seed: number;
  texts: number;
  ranges: [number, number][];
  pieces: string[];
}

export function* generated({ seed, texts, ranges, pieces }: GeneratedTexts): Generator<string> {
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

/** Which blocks of texts have other ids than those whose hashes are given. */
export function differing(tokenizer: Tokenizer, texts: string[], block: number, hashes: string[]): string[] {
  if (hashes.length * block !== texts.length)
    throw new Error(`${hashes.length} hashes are not for ${texts.length} texts`);
  return hashes.flatMap((hash, i) => {
    const digest = createHash('sha256');
    // One time limit for a block, not for each text: setting limits takes longer than encoding.
    const rows = withinTimeTogether(60_000, () =>
      texts.slice(i * block, (i + 1) * block).map((text) => tokenizer.encode(text)),
    );
    for (const ids of rows) digest.update(Uint32Array.from([...ids, 0xffffffff]));
    return digest.digest('hex').slice(0, 12) === hash ? [] : [`texts ${i * block} to ${(i + 1) * block - 1}`];
  });
}
