import fc from 'fast-check';
import { type Stack, startStack } from '../support/stack.js';
import { heal, HEARINGS } from './heal.js';
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
/** How many sequences follow from one seed. Few, so that all lanes end at about the same time. */
const BLOCK = 5;
/** How long a counterexample is made smaller. */
const SHRINK_MS = 60_000;

/** Which sequences to run. */
export interface Plan {
  readonly sequences: number;
  readonly seed: number;
  /** How many run beside each other, each on a stack of its own. */
  readonly lanes: number;
  /** No sequence begins after this time. */
  readonly timeLimitMs?: number;
  /** Gives the next block, from 0 on, where others share in the work. */
  readonly takeBlock?: () => number;
  /** Called after each sequence. */
  readonly onProgress?: (steps: number) => void;
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
  readonly hearsInTheEnd: (typeof HEARINGS)[number];
  readonly order: number;
}

/** The sequences that follow from one seed, or the one that `path` and `replayPath` lead to, as a failure prints them. */
export interface Block {
  readonly sequences: number;
  readonly seed: number;
  readonly path?: string | undefined;
  readonly replayPath?: string | undefined;
}

/**
 * Runs random sequences of commands, of what others do at Stripe and of troubles against API, worker, PostgreSQL and
 * simulator, and asserts the rules of the contract after each. The seed decides which, however many lanes there are.
 * Throws with the smallest sequence found that breaks a rule, and with the command that runs it again.
 */
export async function runSequences(plan: Plan): Promise<Figures> {
  const { sequences, seed, lanes, timeLimitMs = Infinity, takeBlock = counter(), onProgress } = plan;
  const done = { sequences: 0, steps: 0 };
  const endsAt = performance.now() + timeLimitMs;
  let hasFailed = false;
  const mayBegin = (): boolean => !hasFailed && performance.now() < endsAt;
  const onEnd = ({ steps }: Model): void => {
    done.sequences += 1;
    done.steps += steps;
    onProgress?.(steps);
  };
  const runLane = async (): Promise<void> => {
    const stacks = new Stacks();
    try {
      for (let block = takeBlock(); block * BLOCK < sequences && mayBegin(); block = takeBlock()) {
        const left = Math.min(BLOCK, sequences - block * BLOCK);
        await runBlock({ sequences: left, seed: seedOf(seed, block) }, stacks, mayBegin, onEnd);
      }
    } catch (error) {
      hasFailed = true;
      throw error;
    } finally {
      await stacks.close();
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, runLane));
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
  return done;
}

/** Runs one sequence again that a failure told of. Throws as `runSequences` does. */
export async function replay(block: Omit<Block, 'sequences'>): Promise<Figures> {
  const stacks = new Stacks();
  const done = { sequences: 0, steps: 0 };
  try {
    await runBlock(
      { ...block, sequences: 1 },
      stacks,
      () => true,
      ({ steps }) => {
        done.sequences += 1;
        done.steps += steps;
      },
    );
    return done;
  } finally {
    await stacks.close();
  }
}

/** Neighbouring seeds share no sequence: the golden ratio of 32 bits keeps their blocks apart. */
function seedOf(seed: number, block: number): number {
  return (Math.imul(seed, 0x9e37_79b1) + block) | 0;
}

function counter(): () => number {
  let next = 0;
  return () => next++;
}

async function runBlock(
  { sequences, seed, path, replayPath }: Block,
  stacks: Stacks,
  mayBegin: () => boolean,
  onEnd: (model: Model) => void,
): Promise<void> {
  let failedAt: number | null = null;
  const property = fc.asyncProperty(...sequenceOf(replayPath), async (how, first, steps) => {
    // A longer search for a smaller counterexample is not worth its time: what is left counts as sound.
    if (failedAt === null ? !mayBegin() : performance.now() > failedAt + SHRINK_MS) return;
    try {
      const model = await runSequence(await stacks.take(), how, [first, ...steps]);
      if (failedAt === null) onEnd(model);
    } catch (error) {
      failedAt ??= performance.now();
      // What is left of a failed sequence must not fail the next.
      await stacks.close();
      throw error;
    }
  });
  const result = await fc.check(property, { numRuns: sequences, seed, ...(path === undefined ? {} : { path }) });
  if (result.failed) throw new Error(tell(result), { cause: result.errorInstance });
}

function sequenceOf(replayPath: string | undefined): [fc.Arbitrary<Circumstances>, fc.Arbitrary<Step>, fc.Arbitrary<Iterable<Step>>] {
  const circumstances: fc.Arbitrary<Circumstances> = fc.record({
    hearsStripe: fc.constantFrom(false, false, true),
    hearsInTheEnd: fc.constantFrom(...HEARINGS),
    order: fc.nat(),
  });
  const constraints = { maxCommands: STEPS_MAX - 1, size: 'max' as const, ...(replayPath === undefined ? {} : { replayPath }) };
  const everything = fc.oneof(...merchantSteps, ...outsideSteps, leaps, ...deliverySteps, ...troubleSteps);
  // Much happens to one order past us, and its events come in every order.
  const observations = fc.oneof(...outsideSteps, ...deliverySteps);
  // Biased, most sequences would be short.
  const stepsOf = (step: fc.Arbitrary<Step>): fc.Arbitrary<Iterable<Step>> => fc.noBias(fc.commands([step.map(counted)], constraints));
  const further = fc.oneof({ weight: 3, arbitrary: stepsOf(everything) }, { weight: 1, arbitrary: stepsOf(observations) });
  return [circumstances, creation.map(counted), further];
}

async function runSequence(stack: Stack, how: Circumstances, steps: Iterable<Step>): Promise<Model> {
  const sequence = await Sequence.begin(stack, how.hearsStripe);
  const model: Model = { orders: [], isWorkerRunning: true, leaps: 0, steps: 0 };
  await fc.asyncModelRun(() => ({ model, real: sequence }), steps);
  await heal(sequence, model, how);
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
    `again: npm run model -- --seed=${seed} --path "${counterexamplePath ?? ''}" --replay "${replayPath}"`,
  ].join('\n');
}
