import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../paths';

/** Runs lines of a program in a process whose terminal has colours; returns what it wrote. */
function written(program: string): string {
  const terminal = JSON.stringify(join(packageRoot(), 'src/cli/terminal/terminal.ts'));
  const code = `const { clipLine, inOneLine, pc, stdout, width } = require(${terminal});\n${program}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--require', 'tsx/cjs', '-e', code], {
    cwd: packageRoot(),
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined },
  });
  if (stderr) throw new Error(stderr);
  return stdout;
}

it('writes its own colours, and shows those of other texts', () => {
  const program = `stdout.write(pc.red('a' + pc.bold('\\u001b[31mb\\u009b1m\\u202e')) + '\\u001b]52;c;eA==\\u0007\\n\\tc');`;
  expect(written(program)).toBe(
    '\u001b[31ma\u001b[1mU+001B[31mbU+009B1mU+202E\u001b[22m\u001b[39mU+001B]52;c;eA==U+0007\n\tc',
  );
});

it('measures and cuts visible text, and closes the colours of the part it cut', () => {
  const program = `
    const text = pc.red('ab\\n\\u001bcd') + pc.bold('ef');
    stdout.write([width(inOneLine(text)), clipLine(text, 2), clipLine(text, 9), inOneLine(text)].join('|'));`;
  const all = '\u001b[31mab U+001Bcd\u001b[39m\u001b[1mef\u001b[22m';
  const two = '\u001b[31mab\u001b[39m\u001b[1m\u001b[22m';
  const nine = '\u001b[31mab U+001B\u001b[39m\u001b[1m\u001b[22m';
  expect(written(program)).toBe(`13|${two}|${nine}|${all}`);
});
