import fc from 'fast-check';
import { type Step } from './merchant-commands.js';
import { assertMirrored } from './rules.js';
import { shuffled } from './shuffled.js';

/** How Stripe spoils the answer to one request of ours; the key's pattern spares the buyers' and the test's own requests. */
const STRIPE_FAULTS = [
  { phase: 'before', action: 'reset' },
  { phase: 'after', action: 'reset' },
  { phase: 'after', action: 'delay', ms: 300 },
  { phase: 'body', action: 'truncate' },
  { phase: 'after', action: 'html', status: 502 },
  { phase: 'after', action: 'json' },
  { phase: 'before', action: '500' },
  { phase: 'before', action: '500', stored: false },
  { phase: 'after', action: '500', stored: false },
  { phase: 'before', action: '503' },
  { phase: 'before', action: '409' },
  { phase: 'before', action: '429', retryAfterSeconds: 1 },
  { phase: 'before', action: 'lock_timeout' },
  { phase: 'before', action: '401' },
] as const;

/** What happens to the way of Stripe's events while the simulator delivers them itself. */
const WEBHOOK_FAULTS = [
  { action: 'duplicate', times: 2 },
  { action: 'twin' },
  { action: 'reorder', window: 4, ms: 60 },
  { action: 'delay', ms: 60 },
  { action: 'drop' },
  { action: 'forge' },
] as const;

const count = fc.integer({ min: 1, max: 3 });

/** How Stripe's events come while the simulator does not deliver them: in any order, again and again; what is never picked is lost. */
export const deliverySteps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  { weight: 5, arbitrary: fc.record({ which: fc.nat({ max: 30 }), times: fc.integer({ min: 1, max: 3 }) }).map(deliver) },
  { weight: 2, arbitrary: fc.nat().map(hearAll) },
];

/** What goes wrong between Stripe and us, and with us. */
export const troubleSteps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  { weight: 6, arbitrary: fc.record({ fault: fc.constantFrom(...STRIPE_FAULTS), count }).map(spoilAnswers) },
  { weight: 1, arbitrary: fc.record({ fault: fc.constantFrom(...STRIPE_FAULTS), count }).map(spoilReads) },
  { weight: 2, arbitrary: fc.record({ fault: fc.constantFrom(...WEBHOOK_FAULTS), count }).map(spoilDelivery) },
  { weight: 2, arbitrary: fc.constant(restartWorker()) },
  { weight: 1, arbitrary: fc.constant(always('restart the API', ({ stack }) => stack.restartApi())) },
  { weight: 1, arbitrary: fc.constant(stopWorker()) },
  { weight: 4, arbitrary: fc.constant(calm()) },
];

function spoilAnswers({ fault, count: times }: { fault: (typeof STRIPE_FAULTS)[number]; count: number }): Step {
  return always(`spoil ${times} answers: ${JSON.stringify(fault)}`, async ({ stack }) => {
    await stack.control('/_sim/faults', { ...fault, key: 'op_*', count: times });
  });
}

function spoilReads({ fault, count: times }: { fault: (typeof STRIPE_FAULTS)[number]; count: number }): Step {
  return always(`spoil ${times} reads of intents: ${JSON.stringify(fault)}`, async ({ stack }) => {
    await stack.control('/_sim/faults', { ...fault, route: 'GET /v1/payment_intents/:id', count: times });
  });
}

function spoilDelivery({ fault, count: times }: { fault: (typeof WEBHOOK_FAULTS)[number]; count: number }): Step {
  return always(`spoil ${times} deliveries: ${JSON.stringify(fault)}`, async ({ stack }) => {
    await stack.control('/_sim/webhooks', { ...fault, count: times });
  });
}

/** Delivers one event of those there are, early or late, for the first time or again. */
function deliver({ which, times }: { which: number; times: number }): Step {
  return always(`deliver event ${which}, ${times} times`, async (sequence) => {
    const events = await sequence.events();
    const event = events[which % Math.max(1, events.length)];
    if (event !== undefined) await Promise.all(Array.from({ length: times }, () => sequence.deliver(event)));
  });
}

/** Delivers all events there are in another order; with a worker, our record equals Stripe's then. */
function hearAll(seed: number): Step {
  return {
    check: ({ orders }) => orders.length > 0,
    run: async ({ orders, isWorkerRunning }, sequence) => {
      if (isWorkerRunning) await sequence.calm();
      const heard = new Set<string>();
      const hearNews = async (): Promise<void> => {
        const news = (await sequence.events()).filter(({ id }) => !heard.has(id));
        for (const event of shuffled(news, seed)) {
          await sequence.deliver(event);
          heard.add(event.id);
        }
      };
      await hearNews();
      if (!isWorkerRunning) return;
      await sequence.calm();
      // A dispute comes some time after its charge, which may be while we compare.
      for (const order of orders) await assertMirrored(sequence, order, hearNews);
    },
    toString: () => `deliver all events in order ${seed}`,
  };
}

function restartWorker(): Step {
  return {
    check: ({ isWorkerRunning }) => isWorkerRunning,
    run: async (_, { stack }) => {
      await stack.stopWorker();
      await stack.startWorker();
    },
    toString: () => 'restart the worker',
  };
}

/** Until it is started again, the API accepts alone. */
function stopWorker(): Step {
  return {
    check: () => true,
    run: async (model, { stack }) => {
      await (model.isWorkerRunning ? stack.stopWorker() : stack.startWorker());
      model.isWorkerRunning = !model.isWorkerRunning;
    },
    toString: () => 'stop the worker, or start it again',
  };
}

function calm(): Step {
  return {
    check: ({ isWorkerRunning, orders }) => isWorkerRunning && orders.length > 0,
    run: (_, sequence) => sequence.calm(),
    toString: () => 'calm',
  };
}

function always(name: string, run: (sequence: Parameters<Step['run']>[1]) => Promise<unknown>): Step {
  return {
    check: ({ orders }) => orders.length > 0,
    run: async (_, sequence) => {
      await run(sequence);
    },
    toString: () => name,
  };
}
