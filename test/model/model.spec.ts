import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { runSequences } from './sequences.js';

/** As many as fit into the time of `npm test`; `npm run model` runs as many as wanted. */
const SEQUENCES = 40;

it(`${SEQUENCES} random sequences of commands and troubles end in Stripe's state and break no rule`, async (t) => {
  const seed = randomInt(2 ** 31);
  const { sequences, steps } = await runSequences({ sequences: SEQUENCES, seed });
  t.diagnostic(`seed ${seed}: ${sequences} sequences, ${steps} steps`);
});
