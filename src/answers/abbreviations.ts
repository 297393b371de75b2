/** Words that end in a period without ending a sentence, in lower case. */

/** Of amounts: "15 sq. ft.", "approx. 500". */
export const amountAbbreviations = ['sq', 'cu', 'approx', 'ca'];
const titles = ['mr', 'mrs', 'ms', 'dr', 'st', 'mt', 'prof'];

export const abbreviations = [...amountAbbreviations, 'rs', ...titles];

const capitalised = (word: string) => word[0].toUpperCase() + word.slice(1);

/** As they are written: only titles always have a capital letter, as "ms" is also milliseconds. */
export const writtenAbbreviations = [...amountAbbreviations, 'rs', ...abbreviations.map(capitalised)];
