import { describe, expect, it, vi } from 'vitest';
import { UserError } from '../../errors';

vi.mock('../vscode', () => ({}));

const { resultOf, stepOf } = await import('./installer');

describe('the output of a set-up in the command line', () => {
  it('is a step with its share, or a line for the log', () => {
    expect(stepOf('{"doing":"Downloading x","done":5,"total":20}')).toBe('Downloading x, 25 %');
    expect(stepOf('{"doing":"Compiling"}')).toBe('Compiling');
    expect(stepOf('x would be downloaded from pypi.org')).toBeNull();
    expect(stepOf('{"other":1}')).toBeNull();
  });

  it('is the installed software, or the reason for its absence', () => {
    expect(
      resultOf<{ tensorflow: { version: string } }>('{"gpu":false,"tensorflow":{"version":"2.21.0"}}').tensorflow
        .version,
    ).toBe('2.21.0');
    const refused = () => resultOf('{"error":{"message":"no C++ compiler","remedy":"Install one.","code":"compiler"}}');
    expect(refused).toThrow(UserError);
    expect(refused).toThrow('no C++ compiler');
    expect(() => resultOf('Segmentation fault')).toThrow(/gave no result/);
  });
});
