import fc from 'fast-check';
import { type Stack, startStack } from '../support/stack.js';
import { heal } from './heal.js';
import { creation, merchantSteps, type Step } from './merchant-commands.js';
import { type Model } from './model.js';
import { leaps, outsideSteps } from './outside-commands.js';
import { assertRulesHoldFor } from './rules.js';
import { Sequence } from './sequence.js';
import { deliverySteps, troubleSteps } from './trouble-commands.js';

/** The length of a sequence at most. */
const STEPS_MAX = 40;
/** A database and a simulator hold this many sequences; then new ones are made, so that the ten-thousandth is as fast as the first. */
const SEQUENCES_A_STACK = 100;
/** How long a counterexample is made smaller. */
const SHRINK_MS = 60_000;

/** Which sequences to run. `path` and `replayPath` lead to one of them, as a failure prints them. */
export interface Plan {
  readonly sequences: number;
  readonly seed: number;
  readonly path?: string | undefined;
  readonly replayPath?: string | undefined;
  /** No sequence begins after this time. */
  readonly timeLimitMs?: number;
  readonly onProgress?: (done: Figures) => void;
}

/** What was run. */
export interface Figures {
  readonly sequences: number;
  readonly steps: number;
}

/** What a sequence depends on besides its steps. */
interface Circumstances {
  /** Whether the simulator delivers its events itself; else only `deliver` does. */
  readonly hearsStripe: boolean;
  readonly hearsAllInTheEnd: boolean;
  readonly order: number;
}

/**
 * Runs random sequences of commands, of what others do at Stripe and of troubles against API, worker, PostgreSQL and
 * simulator, and asserts the rules of the contract after each. Throws with the smallest sequence found that breaks one,
 * and with the command that runs it again.
 */
export async function runSequences({ sequences, seed, path, replayPath, timeLimitMs = Infinity, onProgress }: Plan): Promise<Figures> {
  const done = { sequences: 0, steps: 0 };
  const stacks = new Stacks();
  const endsAt = performance.now() + timeLimitMs;
  let failedAt: number | null = null;
  const circumstances: fc.Arbitrary<Circumstances> = fc.record({
    hearsStripe: fc.constantFrom(false, false, true),
    hearsAllInTheEnd: fc.boolean(),
    order: fc.nat(),
  });
  const constraints = { maxCommands: STEPS_MAX - 1, size: 'max' as const, ...(replayPath === undefined ? {} : { replayPath }) };
  const everything = fc.oneof(...merchantSteps, ...outsideSteps, leaps, ...deliverySteps, ...troubleSteps);
  // Much happens to one order past us, and its events come in every order.
  const observations = fc.oneof(...outsideSteps, ...deliverySteps);
  // Biased, most sequences would be short.
  const stepsOf = (step: fc.Arbitrary<Step>): fc.Arbitrary<Iterable<Step>> => fc.noBias(fc.commands([step.map(counted)], constraints));
  const further = fc.oneof({ weight: 3, arbitrary: stepsOf(everything) }, { weight: 1, arbitrary: stepsOf(observations) });
  const property = fc.asyncProperty(circumstances, creation.map(counted), further, async (how, first, steps) => {
    // A longer search for a smaller counterexample is not worth its time: what is left counts as sound.
    if (performance.now() > (failedAt === null ? endsAt : failedAt + SHRINK_MS)) return;
    try {
      const model = await runSequence(await stacks.take(), how, [first, ...steps]);
      if (failedAt !== null) return;
      done.sequences += 1;
      done.steps += model.steps;
      onProgress?.(done);
    } catch (error) {
      failedAt ??= performance.now();
      // What is left of a failed sequence must not fail the next.
      await stacks.close();
      throw error;
    }
  });
  try {
    const result = await fc.check(property, { numRuns: sequences, seed, ...(path === undefined ? {} : { path }) });
    if (result.failed) throw new Error(tell(result), { cause: result.errorInstance });
    return done;
  } finally {
    await stacks.close();
  }
}

async function runSequence(stack: Stack, how: Circumstances, steps: Iterable<Step>): Promise<Model> {
  const sequence = await Sequence.begin(stack, how.hearsStripe);
  const model: Model = { orders: [], isWorkerRunning: true, leaps: 0, steps: 0 };
  await fc.asyncModelRun(() => ({ model, real: sequence }), steps);
  await heal(sequence, how);
  await assertRulesHoldFor(sequence, model);
  return model;
}

function counted(step: Step): Step {
  return {
    check: (model) => step.check(model),
    run: (model, sequence) => {
      model.steps += 1;
      return step.run(model, sequence);
    },
    toString: () => step.toString(),
  };
}

/** The running system, new from time to time. */
class Stacks {
  #stack: Stack | null = null;
  #taken = 0;

  async take(): Promise<Stack> {
    if (this.#taken === SEQUENCES_A_STACK) await this.close();
    this.#stack ??= await startStack({ virtualClock: true });
    this.#taken += 1;
    return this.#stack;
  }

  async close(): Promise<void> {
    await this.#stack?.close();
    this.#stack = null;
    this.#taken = 0;
  }
}

function tell({
  counterexample,
  counterexamplePath,
  seed,
  numShrinks,
  errorInstance,
}: fc.RunDetails<[Circumstances, Step, Iterable<Step>]>): string {
  const [how, first, further] = counterexample ?? [];
  const steps = fc.stringify(further);
  const replayPath = /replayPath="([^"]*)"/.exec(steps)?.[1] ?? '';
  return [
    `A sequence breaks a rule: ${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}`,
    '',
    fc.stringify(how),
    `  ${fc.stringify(first)}`,
    `  ${steps}`,
    `(after ${numShrinks} shrinks)`,
    `again: npm run model -- --seed ${seed} --path "${counterexamplePath ?? ''}" --replay "${replayPath}"`,
  ].join('\n');
}
