import { it } from 'vitest';
import { expectAgreement } from './agreement.js';
import { type StepRow, stepsOf } from './graphs.js';

/** Graphs that npm run fuzz found to differ, as it shrank them. */
const FOUND: readonly (readonly [what: string, rows: readonly StepRow[]])[] = [
  [
    'a product of a gathered packed tensor, whose guard moves with an index from memory',
    [
      ['packed', 77, 0, 0],
      ['gather', 0, 0, 1],
      ['unary', 27, 0, 0],
      ['dot', 5, 0, 79],
      ['unary', 0, 0, 0],
    ],
  ],
];

it.each(FOUND)('agree on %s', (_, rows) => expectAgreement(stepsOf(rows)));
