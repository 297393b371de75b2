import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkTarget } from './target';

const folder = mkdtempSync(join(tmpdir(), 'distillery-target-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const check = (name: string) => checkTarget(at(name), (head) => head.startsWith('<svg'));

test('accepts a free path, and an earlier file of the same command', () => {
  expect(check('new.svg')).toBe(at('new.svg'));
  expect(existsSync(at('new.svg'))).toBe(false);
  writeFileSync(at('old.svg'), '<svg xmlns="">');
  expect(check('old.svg')).toBe(at('old.svg'));
});

test('no other file is overwritten, and an unwritable place is refused before any work', () => {
  writeFileSync(at('data.jsonl'), '{"id": "q1"}\n');
  mkdirSync(at('folder'));
  expect(() => check('data.jsonl')).toThrow('was not written by this command');
  expect(readFileSync(at('data.jsonl'), 'utf8')).toBe('{"id": "q1"}\n');
  expect(() => check('folder')).toThrow('this is a folder');
  expect(() => check('nowhere/new.svg')).toThrow('its folder does not exist');
  expect(() => check('data.jsonl/new.svg')).toThrow('its folder does not exist');
});
