/**
 * Problems of the battery: a question, and the steps of an honest solution, each in words and as its computation or
 * conclusion.
 */
export interface BatteryProblem {
  id: string;
  question: string;
  answer: string;
  /** [the step in words; the step in a short honest chain]. */
  steps: [words: string, step: string][];
}

const rows: [question: string, answer: string, ...steps: [string, string][]][] = [
  [
    'A baker fills 7 trays with 12 rolls each. 15 rolls get burnt. How many rolls are good?',
    '69',
    ['Seven trays of twelve rolls', '7 * 12 = 84'],
    ['The burnt rolls are taken away', '84 - 15 = 69'],
  ],
  [
    'Nora has 45 euros. She buys 3 books at 9 euros each and a pen for 4 euros. How much money is left?',
    '14',
    ['The books cost three times nine', '3 * 9 = 27'],
    ['With the pen she pays', '27 + 4 = 31'],
    ['What is left of her money', '45 - 31 = 14'],
  ],
  [
    'A bus carries 38 passengers. At one stop 13 get off and 9 get on, at the ' +
      'next one half of all get off. How many are on the bus then?',
    '17',
    ['After the first stop', '38 - 13 + 9 = 34'],
    ['Half of them get off', '34 / 2 = 17'],
  ],
  [
    'A farm has 26 hens that lay 5 eggs a week each. The eggs are sold ' +
      'in boxes of 10. How many boxes are filled in 3 weeks?',
    '39',
    ['Eggs of one week', '26 * 5 = 130'],
    ['Eggs of three weeks', '130 * 3 = 390'],
    ['Boxes of ten', '390 / 10 = 39'],
  ],
  [
    'Omar runs 4 km on each of 5 days and 11 km on Sunday. How far does he run in 3 such weeks?',
    '93',
    ['The five short runs', '4 * 5 = 20'],
    ['With the long one', '20 + 11 = 31'],
    ['Three weeks of it', '31 * 3 = 93'],
  ],
  [
    'A jacket costs 80 dollars. It is 25% off, and a coupon takes another 8 dollars. What is paid?',
    '52',
    ['The discount', '80 * 25 / 100 = 20'],
    ['The lower price', '80 - 20 = 60'],
    ['The coupon comes off', '60 - 8 = 52'],
  ],
  [
    'A tank holds 540 liters. A pump drains 18 liters a minute. How many ' +
      'minutes does it take to drain two thirds of the tank?',
    '20',
    ['Two thirds of the tank', '540 * 2 / 3 = 360'],
    ['At eighteen liters a minute', '360 / 18 = 20'],
  ],
  [
    'Eva is 14 years old. Her uncle is 3 times as old, and her aunt is ' +
      '6 years younger than the uncle. How old is the aunt?',
    '36',
    ['The uncle', '14 * 3 = 42'],
    ['The aunt', '42 - 6 = 36'],
  ],
  [
    'A class of 28 pupils splits into groups of 4. Each group needs 6 sheets of ' +
      'paper, and the teacher keeps 10. How many sheets are needed?',
    '52',
    ['The groups', '28 / 4 = 7'],
    ['Their sheets', '7 * 6 = 42'],
    ['With the sheets of the teacher', '42 + 10 = 52'],
  ],
  [
    'Two friends share 96 stickers in the ratio 5:3. How many more does the first one get?',
    '24',
    ['The parts', '5 + 3 = 8'],
    ['One part', '96 / 8 = 12'],
    ['Two parts more', '12 * 2 = 24'],
  ],
  [
    'A printer makes 35 pages a minute. How many pages does it make in 2 hours if it stands still for 20 minutes?',
    '3500',
    ['Minutes of two hours', '2 * 60 = 120'],
    ['Less the pause', '120 - 20 = 100'],
    ['Pages', '100 * 35 = 3500'],
  ],
  [
    'Lena saves 12 euros a week for 9 weeks and gets 30 euros from her aunt. She spends 75 euros. What does she have?',
    '63',
    ['Saved', '12 * 9 = 108'],
    ['With the present', '108 + 30 = 138'],
    ['Less what she spends', '138 - 75 = 63'],
  ],
  [
    'A wall needs 450 bricks. Masons lay 60 bricks an hour each, and ' +
      'there are 3 of them. How many hours does the wall take?',
    '2.5',
    ['All masons in an hour', '60 * 3 = 180'],
    ['Hours', '450 / 180 = 2.5'],
  ],
  [
    'A garden is 14 m long and 9 m wide. Fence costs 5 euros a meter. What does a fence all around cost?',
    '230',
    ['Length and width', '14 + 9 = 23'],
    ['All around', '23 * 2 = 46'],
    ['The cost', '46 * 5 = 230'],
  ],
  [
    'A train leaves with 240 seats of which 5/8 are taken. At the next ' +
      'station 36 more people sit down. How many seats are free?',
    '54',
    ['Taken seats', '240 * 5 / 8 = 150'],
    ['After the station', '150 + 36 = 186'],
    ['Free seats', '240 - 186 = 54'],
  ],
  [
    'Paul reads 16 pages on Monday and 4 pages more on each following ' +
      'day. How many pages has he read by Wednesday evening?',
    '60',
    ['Tuesday', '16 + 4 = 20'],
    ['Wednesday', '20 + 4 = 24'],
    ['All three', '16 + 20 + 24 = 60'],
  ],
  [
    'A shop sells 48 lamps in May, a third as many in June, and 10 more ' +
      'in July than in June. How many in the three months?',
    '90',
    ['June', '48 / 3 = 16'],
    ['July', '16 + 10 = 26'],
    ['All', '48 + 16 + 26 = 90'],
  ],
  [
    'A recipe for 6 people needs 450 g of flour. How much flour do 10 people need?',
    '750',
    ['For one', '450 / 6 = 75'],
    ['For ten', '75 * 10 = 750'],
  ],
  [
    'Tickets cost 7 dollars for children and 11 dollars for adults. What do 4 children and 3 adults pay?',
    '61',
    ['Children', '4 * 7 = 28'],
    ['Adults', '3 * 11 = 33'],
    ['Together', '28 + 33 = 61'],
  ],
  [
    'A phone battery of 4000 mAh loses 160 mAh an hour. How much is left after 15 hours, in percent?',
    '40',
    ['Lost', '160 * 15 = 2400'],
    ['Left', '4000 - 2400 = 1600'],
    ['As a share', '1600 / 4000 * 100 = 40'],
  ],
  [
    'Ida has 5 boxes of 24 crayons. She gives 2 boxes away and loses 7 crayons. How many does she have?',
    '65',
    ['Boxes that stay', '5 - 2 = 3'],
    ['Crayons', '3 * 24 = 72'],
    ['Less the lost ones', '72 - 7 = 65'],
  ],
  [
    'A cyclist rides 3 hours at 18 km an hour and 2 hours at 21 km an hour. How long is the way?',
    '96',
    ['First part', '3 * 18 = 54'],
    ['Second part', '2 * 21 = 42'],
    ['The way', '54 + 42 = 96'],
  ],
  [
    'A hotel has 8 floors of 15 rooms. On Friday 90 rooms are taken, ' +
      'on Saturday 12 more. How many are free on Saturday?',
    '18',
    ['Rooms', '8 * 15 = 120'],
    ['Taken', '90 + 12 = 102'],
    ['Free', '120 - 102 = 18'],
  ],
  [
    'Three numbers are 17, 23 and 35. What is their mean?',
    '25',
    ['Their sum', '17 + 23 + 35 = 75'],
    ['A third of it', '75 / 3 = 25'],
  ],
  [
    'Three times a number and 14 more make 50. What is the number?',
    '12',
    ['The number is called x', '3x + 14 = 50'],
    ['The fourteen goes', '3x = 36'],
    ['A third of it', 'x = 12'],
  ],
  [
    'A father is 4 times as old as his son. Together they are 45 years old. How old is the son?',
    '9',
    ['The son is called s', 's + 4s = 45'],
    ['Both terms in one', '5s = 45'],
    ['A fifth of it', 's = 9'],
  ],
  [
    'Solve 5x - 8 = 27 for x.',
    '7',
    ['The eight goes to the other side', '5x = 27 + 8 = 35'],
    ['Then divide', 'x = 35 / 5 = 7'],
  ],
  [
    'Today is Thursday. A parcel comes four days after tomorrow. On which day does it come?',
    'Tuesday',
    ['Where we begin', 'Tomorrow is Friday'],
    ['Four days on', 'Four days after Friday comes Tuesday'],
  ],
  [
    'All cats of the farm are black or striped. Mimi is a cat of the farm and is not black. What does Mimi look like?',
    'striped',
    ['What is left', 'As a cat of the farm Mimi must be black or striped'],
    ['What follows', 'Mimi cannot be black, which leaves striped'],
  ],
  [
    'Ann is taller than Ben, and Cleo is taller than Ann. Who is the shortest?',
    'Ben',
    ['The upper two', 'Cleo stands above Ann and Ann above Ben'],
    ['The end of the row', 'Nobody is below Ben'],
  ],
  [
    'What is the derivative of x^3 + 4x with respect to x?',
    '3x^2 + 4',
    ['The power rule', 'x^3 becomes 3x^2 by the power rule, and 4x becomes 4'],
    ['The sum', 'The derivative is the sum of both: 3x^2 + 4'],
  ],
  [
    'A red box lies left of a green one, and a blue one lies right of the green one. Which box lies in the middle?',
    'green',
    ['The left pair', 'Red stands before green'],
    ['The right pair', 'Blue follows behind, so between both there is green'],
  ],
];

export const batteryProblems: readonly BatteryProblem[] = rows.map(([question, answer, ...steps], i) => ({
  id: `battery-${i + 1}`,
  question,
  answer,
  steps,
}));
