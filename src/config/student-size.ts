import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallText } from '../lines';
import { statOf } from '../paths';
import type { Finding } from './issue';
import { autoLoraParameters, defaultLora, type LoraSettings, type LoraTarget } from './lora';

/**
 * The effective `student.lora` for the student at an absolute path. A name of the Hugging Face Hub is not a path; such
 * students count as large.
 */
export function resolveLora(lora: LoraSettings | 'auto' | false, student: string): LoraSettings | false {
  if (lora !== 'auto') return lora;
  return approximateParameters(student) >= autoLoraParameters ? defaultLora : false;
}

/**
 * A student's number of parameters, from its config.json or the size of its GGUF file. Infinite if it is not
 * downloaded.
 */
function approximateParameters(student: string): number {
  const stat = statOf(student);
  if (!stat) return Number.POSITIVE_INFINITY;
  if (stat.isFile()) return stat.size; // One byte per parameter: weights have between 4 and 32 bits
  const shape = shapeOf(student);
  if (shape) return count(shape);
  const files = readdirSync(student).filter((name) => /\.(gguf|safetensors)$/.test(name));
  if (files.includes('adapter_model.safetensors')) return Number.POSITIVE_INFINITY; // it has an adapter already
  return files.reduce((size, name) => size + statSync(join(student, name)).size, 0);
}

interface StudentShape {
  hidden: number;
  layers: number;
  query: number;
  key: number;
  inner: number;
  vocab: number;
}

/** The sizes from a folder's config.json; null if it does not have them. Loading the student reports errors in it. */
function shapeOf(student: string): StudentShape | null {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(readSmallText(join(student, 'config.json')));
  } catch {
    return null;
  }
  const number = (name: string, absent = Number.NaN) =>
    typeof json?.[name] === 'number' ? (json[name] as number) : absent;
  const hidden = number('hidden_size');
  const heads = number('num_attention_heads');
  const headDim = number('head_dim', hidden / heads);
  const shape = {
    hidden,
    layers: number('num_hidden_layers'),
    query: heads * headDim,
    key: number('num_key_value_heads', heads) * headDim,
    inner: number('intermediate_size'),
    vocab: number('vocab_size'),
  };
  return Object.values(shape).every((size) => size > 0) ? shape : null;
}

/** The approximate number of parameters, from the sizes in a folder's config.json; null if it does not have them. */
export function describedParameters(student: string): number | null {
  const shape = shapeOf(student);
  return shape && count(shape);
}

const count = ({ hidden, layers, query, key, inner, vocab }: StudentShape) =>
  vocab * hidden + layers * hidden * (2 * query + 2 * key + 3 * inner);

/** A smaller model knows little beyond the data it was made for. */
const tiny = 10_000_000;

/** Warns of a student too small to have learned to read, used on other problems than the built-in arithmetic. */
export function sizeFindings(student: string, formats: readonly string[]): Finding[] {
  const parameters = describedParameters(student);
  if (!parameters || parameters >= tiny || formats.every((format) => format === 'arithmetic')) return [];
  return [
    {
      severity: 'warning',
      path: ['student', 'path'],
      message:
        `This student has only ${parameters.toLocaleString('en')} parameters: unless it was pretrained ` +
        'on problems like these, it only checks that the pipeline works on your data, and its results mean little.',
      remedy:
        'For results use a pretrained student: a Hugging Face folder, a ' +
        '.gguf file or a name such as Qwen/Qwen2.5-0.5B.',
    },
  ];
}

/** Warns of a rank at which an adapter is no smaller than the layer it adapts. */
export function loraFindings(lora: LoraSettings | 'auto' | false, student: string): Finding[] {
  const shape = shapeOf(student);
  if (lora === 'auto' || lora === false || !shape) return [];
  const { hidden, query, key, inner } = shape;
  const other = { q: query, k: key, v: key, o: query, gate: inner, up: inner, down: inner };
  const width = (target: LoraTarget) => Math.min(hidden, other[target]);
  const narrowest = lora.targets.toSorted((a, b) => width(a) - width(b))[0];
  if (lora.rank <= width(narrowest)) return [];
  return [
    {
      severity: 'warning',
      path: ['student', 'lora', 'rank'],
      message:
        `Rank ${lora.rank} is more than the ${width(narrowest)} that the ` +
        `student's "${narrowest}" layers have: a larger rank has no effect.`,
      remedy: 'Lower the rank, or set "lora" to false to train the weights themselves.',
      changes: [
        { title: `Set "rank" to ${width(narrowest)}`, path: ['student', 'lora', 'rank'], value: width(narrowest) },
      ],
    },
  ];
}
