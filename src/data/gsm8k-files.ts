/** GSM8K as published by its authors (arXiv 2110.14168; github openai/grade-school-math, MIT), at a pinned commit. */
import type { PinnedFile } from './download';

export const gsm8kSource =
  'https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/grade_school_math/data';

export const gsm8kFiles: Record<'train.jsonl' | 'test.jsonl', PinnedFile & { rows: number }> = {
  'train.jsonl': {
    rows: 7473,
    bytes: 4_166_206,
    sha256: '17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465',
  },
  'test.jsonl': {
    rows: 1319,
    bytes: 749_738,
    sha256: '3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14',
  },
};
