/** Units that occur in answers: their dimensions and sizes. */

export interface Unit {
  /** Exponents of base units, as "m" or "m^2 s^-1"; equal for convertible units. */
  dimension: string;
  /** Size in base units. */
  factor: number;
}

type Entry = [names: string, base: string, factor: number];
const minute = 60;
const hour = 3600;
const day = 24 * hour;

/** Names, dimension, size in base units. Months and years are not converted to days. */
const entries: Entry[] = [
  ['mm millimeter millimeters millimetre millimetres', 'm', 0.001],
  ['cm centimeter centimeters centimetre centimetres 厘米', 'm', 0.01],
  ['dm decimeter decimeters decimetre decimetres', 'm', 0.1],
  ['m meter meters metre metres 米', 'm', 1],
  ['km kilometer kilometers kilometre kilometres 千米 公里', 'm', 1000],
  ['inch inches', 'm', 0.0254],
  ['ft foot feet', 'm', 0.3048],
  ['yd yard yards', 'm', 0.9144],
  ['mi mile miles', 'm', 1609.344],
  ['mg milligram milligrams', 'kg', 1e-6],
  ['g gram grams 克', 'kg', 0.001],
  ['kg kilogram kilograms kilo kilos 千克 公斤', 'kg', 1],
  ['tonne tonnes', 'kg', 1000],
  ['oz ounce ounces', 'kg', 0.028349523125],
  ['lb lbs pound pounds', 'kg', 0.45359237],
  ['ms millisecond milliseconds', 's', 0.001],
  ['s sec secs second seconds 秒', 's', 1],
  ['min mins minute minutes minuten minutos 分钟', 's', minute],
  ['h hr hrs hour hours stunde stunden hora horas heure heures 小时', 's', hour],
  ['day days tag tage día días jour jours 天', 's', day],
  ['week weeks wk wks', 's', 7 * day],
  ['month months', 'month', 1],
  ['year years yr yrs', 'month', 12],
  ['decade decades', 'month', 120],
  ['century centuries', 'month', 1200],
  ['ml mL milliliter milliliters millilitre millilitres', 'm^3', 1e-6],
  ['cl cL centiliter centiliters', 'm^3', 1e-5],
  ['l L liter liters litre litres 升', 'm^3', 0.001],
  ['gal gallon gallons', 'gal', 1],
  ['qt quart quarts', 'gal', 1 / 4],
  ['pint pints', 'gal', 1 / 8],
  ['cup cups', 'gal', 1 / 16],
  ['tbsp tablespoon tablespoons', 'gal', 1 / 256],
  ['tsp teaspoon teaspoons', 'gal', 1 / 768],
  ['ton tons', 'ton', 1],
  ['hectare hectares ha', 'm^2', 10_000],
  ['acre acres', 'acre', 1],
  ['usd dollar dollars buck bucks $', 'usd', 1],
  ['quarter quarters', 'usd', 0.25],
  ['cent cents ¢ penny pennies', 'usd', 0.01],
  ['eur euro euros €', 'eur', 1],
  ['yuan rmb cny 元', 'cny', 1],
  ['yen jpy', 'jpy', 1],
  ['rupee rupees inr rs ₹', 'inr', 1],
  ['degree degrees deg °', 'deg', 1],
  ['radian radians rad', 'rad', 1],
  ['celsius', 'celsius', 1],
  ['fahrenheit', 'fahrenheit', 1],
  ['mph', 'm s^-1', 1609.344 / hour],
  ['kmh kph', 'm s^-1', 1000 / hour],
  ['knot knots', 'm s^-1', 1852 / hour],
  ['hz hertz', 's^-1', 1],
  ['khz kilohertz', 's^-1', 1000],
  ['mhz megahertz', 's^-1', 1e6],
  ['ghz gigahertz', 's^-1', 1e9],
  ['j joule joules', 'joule', 1],
  ['kj kilojoule kilojoules', 'joule', 1000],
  ['MJ megajoule megajoules', 'joule', 1e6],
  ['wh', 'joule', 3600],
  ['kwh', 'joule', 3.6e6],
  ['cal calorie calories', 'calorie', 1],
  ['kcal kilocalorie kilocalories', 'calorie', 1000],
  ['w watt watts', 'watt', 1],
  ['kw kilowatt kilowatts', 'watt', 1000],
  ['MW megawatt megawatts', 'watt', 1e6],
  ['pa pascal pascals', 'pascal', 1],
  ['kpa kilopascal kilopascals', 'pascal', 1000],
  ['atm atmosphere atmospheres', 'atm', 1],
  ['amp amps ampere amperes', 'ampere', 1],
  ['mA milliamp milliamps milliampere milliamperes', 'ampere', 0.001],
  ['ohm ohms Ω', 'ohm', 1],
  ['mol mole moles', 'mole', 1],
  ['kelvin kelvins', 'kelvin', 1],
  ['n newton newtons', 'newton', 1],
  ['v volt volts', 'volt', 1],
  ['byte bytes', 'byte', 1],
  ['kb', 'byte', 1000],
  ['mb', 'byte', 1e6],
  ['gb', 'byte', 1e9],
  ['tb', 'byte', 1e12],
  ['bit bits', 'byte', 1 / 8],
];

const table = new Map<string, Unit>(
  entries.flatMap(([names, dimension, factor]) =>
    names.split(' ').map((name): [string, Unit] => [name, { dimension, factor }]),
  ),
);

/** The unit of that name; single letters are case-sensitive, longer names are not. */
export function unitNamed(name: string): Unit | undefined {
  if ([...name].length === 1) return table.get(/[JWNV]/.test(name) ? name.toLowerCase() : name);
  return table.get(name) ?? table.get(name.toLowerCase());
}

/** Letters that are units after a number and a space; others, as in "2 x", are unknowns. */
export const isUnitLetter = (letter: string) => /^[mghslLJWNV]$/.test(letter);

/** The product of powers of units, with exponents added: m, s^-1 -> "m s^-1". */
export function multiplyUnits(parts: readonly { unit: Unit; power: number }[]): Unit {
  const exponents = new Map<string, number>();
  let factor = 1;
  for (const { unit, power } of parts) {
    factor *= unit.factor ** power;
    for (const base of unit.dimension.split(' ')) {
      const [name, exponent = '1'] = base.split('^');
      exponents.set(name, (exponents.get(name) ?? 0) + power * Number(exponent));
    }
  }
  const dimension = [...exponents]
    .filter(([, exponent]) => exponent !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, exponent]) => (exponent === 1 ? name : `${name}^${exponent}`))
    .join(' ');
  return { dimension, factor };
}
