import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { runSequences } from './sequences.js';

/** What every thread of a run is told; `blocks` holds the number of the next block, which the threads share. */
export interface ThreadPlan {
  readonly sequences: number;
  readonly seed: number;
  readonly blocks: SharedArrayBuffer;
}

/** What a thread tells: that it has run a sequence, or why it has not. */
export type ThreadMessage = { readonly steps: number } | { readonly failure: string; readonly cause: string };

/** A sequence waits as often as it computes, so that a core has two in hand. */
const LANES = 2;
/** Past any number of blocks: nobody begins another. */
const NO_MORE = 2 ** 30;

const port = parentPort;
assert.ok(port !== null, 'this file is run as a thread');
const { sequences, seed, blocks }: ThreadPlan = workerData;
const next = new Int32Array(blocks);
const tell = (message: ThreadMessage): void => port.postMessage(message);
try {
  await runSequences({ sequences, seed, lanes: LANES, takeBlock: () => Atomics.add(next, 0, 1), onProgress: (steps) => tell({ steps }) });
} catch (error) {
  Atomics.store(next, 0, NO_MORE);
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined };
  // Whole, with the causes behind it: of a request that failed, the stack alone tells nothing.
  tell({ failure: message, cause: cause === undefined ? '' : inspect(cause) });
}
