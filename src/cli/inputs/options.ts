/** Parsers of option values. Commander reports their errors together with the option's name. */
import { type Command, InvalidArgumentError } from 'commander';
import { type ChangedSetting, changedSetting } from '../../config/set';
import { UserError } from '../../errors';

/**
 * Refuses empty arguments and options, such as `--runs "$unset"`: as a path, an empty text would mean the current
 * folder. Only options of type `<text>` may be empty.
 */
export function refuseEmpty(command: Command): void {
  const argument = command.registeredArguments.find((_, i) => isEmpty(command.processedArgs[i]));
  const option = command.options.find(
    (one) => isEmpty(command.getOptionValue(one.attributeName())) && !one.flags.endsWith('<text>'),
  );
  const name = argument ? `<${argument.name()}>` : option?.long;
  if (name === undefined) return;
  throw new UserError(`${name} is empty`, { code: 'usage', remedy: 'Is a shell variable unset?' });
}

const isEmpty = (value: unknown) => typeof value === 'string' && value.trim() === '';

/** An integer of at least 0. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number of 0 or more.');
  return value;
}

/** An integer from 1 to `most`. */
export function wholeUpTo(most: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > most)
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
    return Number(text);
  };
}

/** Completions of one problem: all of them are in memory at once. */
export const sampleCount = wholeUpTo(10_000);

/** Requests that a server gets at the same time. */
export const requestCount = wholeUpTo(1000);

/** An integer of at least 1. */
export function positive(text: string): number {
  if (!/^\d+$/.test(text) || count(text) === 0)
    throw new InvalidArgumentError('It must be a whole number of 1 or more.');
  return count(text);
}

/** A number from 0 to `most`. */
export function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= most))
      throw new InvalidArgumentError(`It must be a number from 0 to ${most}.`);
    return value;
  };
}

/** Some of `names`; the option may be repeated or list several separated by commas. */
export function namesOf<const T extends string>(names: readonly T[]): (text: string, before?: T[]) => T[] {
  return (text, before = []) => {
    const given = text.split(',').map((name) => name.trim());
    const unknown = given.find((name) => !(names as readonly string[]).includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is not one of ${names.join(', ')}.`);
    return [...before, ...(given as T[])];
  };
}

/**
 * `a=b,c=d` as pairs that satisfy `fits`; a value may contain equals signs. `what` describes a valid part in error
 * messages.
 */
export function pairsOf(
  text: string,
  fits: (name: string, value: string) => boolean,
  what: string,
): [name: string, value: string][] {
  return text.split(',').map((part) => {
    const [first, ...rest] = part.split('=');
    const [name, value] = [first.trim(), rest.join('=').trim()];
    if (value === '' || !fits(name, value)) throw new InvalidArgumentError(`"${part}" is not ${what}.`);
    return [name, value];
  });
}

/** `setting=value`; the option may be repeated. */
export function settingsOf(text: string, before: ChangedSetting[] = []): ChangedSetting[] {
  const setting = changedSetting(text);
  if (!setting)
    throw new InvalidArgumentError('It must be a setting and its value, such as stages.complete.updates=50.');
  return [...before, setting];
}
