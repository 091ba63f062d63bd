import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { runSequences } from './sequences.js';

/** As many as fit into the time of `npm test`; `npm run model` runs as many as wanted. */
const SEQUENCES = 40;
/** On a busy machine fewer must do: with the search for a smaller counterexample, this stays below the time a test file has. */
const TIME_LIMIT_MS = 150_000;
/** While one sequence waits, the other computes. */
const LANES = 2;

it(`any sequence of commands, buyers and troubles ends in Stripe's state and breaks no rule`, async (t) => {
  const seed = randomInt(2 ** 31);
  const { sequences, steps } = await runSequences({ sequences: SEQUENCES, seed, lanes: LANES, timeLimitMs: TIME_LIMIT_MS });
  t.diagnostic(
    `seed ${seed}: ${sequences} of ${SEQUENCES} sequences, ${steps} steps${sequences < SEQUENCES ? ': THE TIME WAS TOO SHORT FOR ALL' : ''}`,
  );
});
