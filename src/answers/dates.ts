/** Days of the year: "May 4", "the 4th of May", "4 May 2024", "2024-05-04". */
const names = [
  ...['jan(?:uary)?', 'feb(?:ruary)?', 'mar(?:ch)?', 'apr(?:il)?', 'may', 'june?', 'july?', 'aug(?:ust)?'],
  ...['sept?(?:ember)?', 'oct(?:ober)?', 'nov(?:ember)?', 'dec(?:ember)?'],
];
const months = names.map((name) => name.slice(0, 3));
const month = `(${names.join('|')})\\.?`;
const day = '(\\d{1,2})(?:st|nd|rd|th)?';
const year = '(?:,?\\s+(\\d{4}))?';
const monthFirst = new RegExp(`^(?:on\\s+)?${month}\\s+(?:the\\s+)?${day}${year}$`, 'i');
const dayFirst = new RegExp(`^(?:on\\s+)?(?:the\\s+)?${day}\\s+(?:of\\s+)?${month}${year}$`, 'i');

export interface DayOfYear {
  day: number;
  /** In one spelling: "may 4 2024". */
  text: string;
}

/** The date that a text consists of; null for any other text. */
export function dateIn(text: string): DayOfYear | null {
  const plain = text.trim();
  const iso = /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.exec(plain);
  if (iso) return { day: Number(iso[3]), text: `${months[Number(iso[2]) - 1]} ${Number(iso[3])} ${iso[1]}` };
  const first = monthFirst.exec(plain);
  const found = first ?? dayFirst.exec(plain);
  if (!found) return null;
  const [name, number] = first ? [found[1], found[2]] : [found[2], found[1]];
  const written = [months.find((one) => name.toLowerCase().startsWith(one)), Number(number), found[3]];
  return { day: Number(number), text: written.filter((part) => part !== undefined).join(' ') };
}
