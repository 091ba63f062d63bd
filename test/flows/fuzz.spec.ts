import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ApiDocument } from '../fuzz/document.js';
import { fuzz } from '../fuzz/fuzz.js';
import { takingOperations } from '../fuzz/requests.js';

/** As many as fit into the time of `npm test`, always the same; `npm run fuzz` sends as many others as wanted. */
const REQUESTS = 2_000;
const SEED = 1;

it('whatever is sent is answered as the OpenAPI document says, never with a 5xx, and a refusal leaves no row behind', async (t) => {
  const { byStatus, succeeded, sent } = await fuzz({ requests: REQUESTS, seed: SEED });
  t.diagnostic(
    `${sent} requests: ${[...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}`,
  );
  assert.equal(sent, REQUESTS);
  // Parked operations and failed jobs are not among what there is.
  const never = takingOperations(new ApiDocument())
    .filter(({ id }) => !succeeded.has(id))
    .map(({ id }) => id);
  assert.deepEqual(never, ['retryOperation', 'retryJob']);
});
