/** Generates kernels/list.h and kernels/choices.h from the table. */
import { argumentsText, choices, kernelList, kernelTable, signatureOf } from './table';

const head = '// Written by scripts/generate-kernels.ts from src/kernels/native/table.ts; not to be edited.\n';

/** KERNEL(name, codes of its arguments, codes of the group that may be repeated any number of times). */
export function listHeader(): string {
  const lines = kernelList.map((name) => {
    const { fixed, group } = signatureOf(name);
    const [, does] = kernelTable[name];
    return `KERNEL(${name}, "${fixed}", "${group}")  // ${argumentsText(name)}${does && `; ${does}`}`;
  });
  return `${head}// Arguments by letters: d data, o data or NULL, n a number.\n${lines.join('\n')}\n`;
}

export function choicesHeader(): string {
  const word = (name: string, value: string) => `${name}_${value.replace('+', '_plus')}`.toUpperCase();
  const enums = Object.entries(choices).map(
    ([name, values]) => `enum { ${values.map((value) => word(name, value)).join(', ')} };`,
  );
  return `${head}#pragma once\n${enums.join('\n')}\n`;
}
