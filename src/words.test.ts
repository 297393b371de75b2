import { expect, it } from 'vitest';
import { timeLeftText } from './words';

it('shows time left in minutes, and hours to five minutes', () => {
  expect([0, 59, 61, 95, 3_570, 3_600, 3_720, 4_260, 8_000].map(timeLeftText)).toEqual([
    'under 1 min left',
    'under 1 min left',
    '1 min left',
    '2 min left',
    '1 h left',
    '1 h left',
    '1 h left',
    '1 h 10 min left',
    '2 h 10 min left',
  ]);
});
