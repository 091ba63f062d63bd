import { setInterval } from 'node:timers';
import { type JobOutcome } from '#libs/jobs';
import { effect, publicId } from '#libs/primitives';
import { correlate, countRefusedFence } from '#libs/telemetry';
import { type AttemptFacts, fullJitterMs, GIVEN_UP, needsAlarm, type Plan, planAfter, planBefore } from './attempt-plan.js';
import { type Fact, observe } from './observe.js';
import {
  type ClaimedOperation,
  claimOperation,
  markSent,
  postpone,
  type Postponement,
  renewLease,
  whyNotClaimed,
} from './operations.store.js';
import { isOpen, runsBeside, type PaymentError, type PaymentState } from './payment.js';
import { type Payments } from './payments.js';
import { type SettledOperation } from './payment-change.js';
import { loadPayment } from './payments.store.js';
import { readOutcome, type Resolution, resolveByReading } from './resolve-operation.js';
import { endpointOf, intentOf, send } from './send-operation.js';
import { EXPIRES_SESSION } from './session-request.js';
import { classify, StripeFailure } from './stripe/stripe-failure.js';

/** A third of the lease: two renewals may be lost before it is. */
const RENEW_EVERY_MS = 1_000;

/** Nothing at Stripe stops a second partial refund, so its absence counts only when it lasts. */
const ABSENT_FOR_MS = 600_000;
const LOOK_AGAIN_MS = 15_000;

/** How one attempt ended: what the job does, and the operation of the same payment that can go on at once. */
interface AttemptResult {
  readonly job: JobOutcome;
  readonly nextOperationId: string | null;
}

const DONE: AttemptResult = { job: { outcome: 'done' }, nextOperationId: null };

/**
 * Carries out a payment operation and those of the same payment that follow from it: takes the lease, commits that the
 * request is about to leave, calls Stripe with no transaction open, and records the outcome through the one door.
 * Safe to repeat and to run twice at once: the lease lets one run it, the fence lets one write, and Stripe's key makes
 * a second send the same send.
 */
export async function runOperation(payments: Payments, operationId: string): Promise<JobOutcome> {
  let id: string | null = operationId;
  let job: JobOutcome = { outcome: 'done' };
  while (id !== null) {
    const result: AttemptResult = await attempt(payments, id);
    job = result.job;
    id = result.nextOperationId;
  }
  return job;
}

async function attempt(payments: Payments, id: string): Promise<AttemptResult> {
  const { autocommit } = payments.database;
  const operation = await effect('worker.operation.claim', () => claimOperation(autocommit, id));
  if (operation === null) {
    const why = await whyNotClaimed(autocommit, id);
    switch (why.reason) {
      case 'early':
        return { job: { outcome: 'snooze', until: why.dueAt }, nextOperationId: null };
      case 'settled':
        // An earlier run of this job has got beyond its own operation; what it put off then is due now.
        return { ...DONE, nextOperationId: why.nextId };
      case 'held':
      case 'behind another':
      case 'gone':
        return DONE;
    }
  }
  const { requestId, orderId } = operation;
  const ids = { operationId: publicId('op', id), orderId: publicId('ord', orderId), ...(requestId === null ? {} : { requestId }) };
  return correlate(ids, () => underLease(payments, operation));
}

/** Carries out an operation while its lease is renewed. */
async function underLease(payments: Payments, operation: ClaimedOperation): Promise<AttemptResult> {
  const { autocommit } = payments.database;
  const { id } = operation;
  const heartbeat = setInterval(() => {
    renewLease(autocommit, operation).catch((error: unknown) =>
      payments.logger.warn({ error, operationId: id }, 'could not renew a lease'),
    );
  }, RENEW_EVERY_MS);
  try {
    const payment = await loadPayment(autocommit, operation.orderId);
    if (payment === null) throw new Error(`bug: operation ${id} has no order`);
    return await carryOut(payments, operation, payment);
  } catch (error) {
    // Whatever went wrong after the claim, the request may have left: the same key will tell.
    payments.logger.warn({ error, operationId: publicId('op', id) }, 'could not record the outcome of an operation');
    const { retryAfterMs, delayedBy } = error instanceof StripeFailure ? error : { retryAfterMs: null, delayedBy: null };
    const delayMs = retryAfterMs ?? fullJitterMs(operation.attempts, payments.entropy.random());
    return again(payments, operation, { status: 'unknown', delayMs, error: NOT_RECORDED, delayedBy }, true);
  } finally {
    clearInterval(heartbeat);
  }
}

async function carryOut(payments: Payments, operation: ClaimedOperation, payment: PaymentState): Promise<AttemptResult> {
  const { database, clock } = payments;
  await clock.refresh();
  const facts = attemptFacts(payments, operation);
  const plan = planBefore(facts);
  if (plan !== 'park') {
    const held = await whyHeld(() => payments.gateway.gate.ready(plan === 'resolve' ? 'reads' : endpointOf(operation, payment)));
    if (held !== null) return holdBack(payments, operation, held);
  }
  switch (plan) {
    case 'park':
      return park(payments, operation, payment);
    case 'resolve':
      return resolve(payments, operation, payment);
    case 'send':
      break;
  }
  if (!(await effect('worker.operation.mark-sent', () => markSent(database.autocommit, operation, clock.now()))))
    return overtaken(payments, operation, 'sending');
  let fact: Fact | null;
  let end: 'done' | 'withdrawn' = 'done';
  try {
    const done = await overtakenExpiry(payments, operation, payment);
    if (done !== null) end = 'withdrawn';
    fact = done ?? (await send(payments.gateway, operation, payment));
  } catch (error) {
    const failure = classify(error);
    if (failure.kind === 'held') return holdBack(payments, operation, failure);
    report(payments, operation, failure);
    return follow(payments, operation, payment, planAfter(failure, facts), failure);
  }
  return settle(payments, operation, payment, end, fact, null);
}

/**
 * What the buyer has done about an intent that is about to expire, if anything. Stripe refuses to cancel what succeeded
 * or is being settled, but would release money that was authorised a moment ago: so it is asked first.
 */
async function overtakenExpiry({ gateway }: Payments, { id, params }: ClaimedOperation, payment: PaymentState): Promise<Fact | null> {
  // A session that its buyer has completed cannot be expired any more, and one that is open holds no money.
  if (EXPIRES_SESSION in params) return null;
  if (payment.operations.find((known) => known.id === id)?.orderedBy !== 'expiry') return null;
  const seen = await gateway.retrievePaymentIntent(intentOf(payment));
  return seen.status === 'requires_capture' || seen.status === 'processing' || seen.status === 'succeeded' ? { of: 'intent', seen } : null;
}

async function follow(
  payments: Payments,
  operation: ClaimedOperation,
  payment: PaymentState,
  plan: Plan,
  failure: StripeFailure,
): Promise<AttemptResult> {
  switch (plan.plan) {
    case 'settle': {
      if (plan.status === 'parked' || operation.kind === 'customer' || operation.kind === 'create')
        return settle(payments, operation, payment, plan.status, null, failure.error);
      const told: Fact | null = failure.paymentIntent === null ? null : { of: 'intent', seen: failure.paymentIntent };
      if (plan.status === 'declined' && told !== null) return settle(payments, operation, payment, 'declined', told, failure.error);
      // Stripe's object may explain the refusal: someone else may have brought it where we wanted it.
      const read = await lookUp(payments, operation, () => explain(payments, operation, payment, failure));
      if (read instanceof StripeFailure) return settle(payments, operation, payment, 'parked', null, read.error);
      return read.happened === 'done'
        ? settle(payments, operation, payment, 'done', read.fact, null)
        : settle(payments, operation, payment, plan.status, read.happened === 'nothing' ? told : read.fact, failure.error);
    }
    case 'resolve':
      return resolve(payments, operation, payment, failure.retryAfterMs ?? fullJitterMs(operation.attempts, payments.entropy.random()));
    case 'again': {
      const { status, delayMs, spendsAttempt } = plan;
      return again(payments, operation, { status, delayMs, error: failure.error, delayedBy: failure.delayedBy }, spendsAttempt);
    }
  }
}

/** What Stripe's object says of a refused operation: most refusals bring the intent along, the others are read for. */
function explain(
  { gateway }: Payments,
  operation: ClaimedOperation,
  payment: PaymentState,
  { paymentIntent }: StripeFailure,
): Resolution | Promise<Resolution> {
  const { kind } = operation;
  if (paymentIntent === null || kind === 'customer' || kind === 'create' || runsBeside(kind))
    return resolveByReading(gateway, operation, payment);
  return readOutcome(kind, paymentIntent, payment);
}

/** What a read tells; or the failure that no further look will change: Stripe has no such object in this account. */
async function lookUp(
  payments: Payments,
  operation: ClaimedOperation,
  read: () => Resolution | Promise<Resolution>,
): Promise<Resolution | StripeFailure> {
  try {
    return await read();
  } catch (error) {
    const failure = classify(error);
    if (failure.kind !== 'bug') throw error;
    report(payments, operation, failure);
    return failure;
  }
}

/**
 * Learns from Stripe's own objects what became of an operation that no answer will ever tell of. `restMs`: what a new key waits, as Stripe
 * may refuse that one too.
 */
async function resolve(payments: Payments, operation: ClaimedOperation, payment: PaymentState, restMs = 0): Promise<AttemptResult> {
  const read = await lookUp(payments, operation, () => resolveByReading(payments.gateway, operation, payment));
  if (read instanceof StripeFailure) return settle(payments, operation, payment, 'parked', null, read.error);
  if (read.happened !== 'nothing') return settleAsRead(payments, operation, payment, read);
  const now = payments.clock.now();
  const absentSince = operation.absentSince ?? now;
  if (operation.kind === 'refund' && now.getTime() - absentSince.getTime() < ABSENT_FOR_MS) {
    return again(payments, operation, { status: 'unknown', delayMs: LOOK_AGAIN_MS, error: NOTHING_SEEN, absentSince }, false);
  }
  const generation = operation.generation + 1;
  const newKey = { generation, stripeIdempotencyKey: stripeIdempotencyKey(operation.id, generation) };
  return again(payments, operation, { status: 'queued', delayMs: restMs, error: NOTHING_HAPPENED, newKey }, false);
}

/** Gives an operation up for a person to decide, after a last look: an outage that is over may be all that kept us from knowing. */
async function park(payments: Payments, operation: ClaimedOperation, payment: PaymentState): Promise<AttemptResult> {
  const read = await resolveByReading(payments.gateway, operation, payment).catch((error: unknown) => {
    report(payments, operation, classify(error));
    return null;
  });
  if (read !== null && read.happened !== 'nothing') return settleAsRead(payments, operation, payment, read);
  payments.logger.error(
    { operationId: publicId('op', operation.id), operation: operation.kind },
    'the outcome of an operation was not to be learned in 72 hours; a person must decide',
  );
  return settle(payments, operation, payment, 'parked', null, GIVEN_UP);
}

function settleAsRead(
  payments: Payments,
  operation: ClaimedOperation,
  payment: PaymentState,
  { happened, fact }: Exclude<Resolution, { readonly happened: 'nothing' }>,
): Promise<AttemptResult> {
  const error = fact?.of === 'intent' && happened !== 'done' ? fact.seen.lastError : null;
  return settle(payments, operation, payment, happened, fact, error);
}

async function settle(
  payments: Payments,
  operation: ClaimedOperation,
  payment: PaymentState,
  status: SettledOperation['status'],
  fact: Fact | null,
  error: PaymentError | null,
): Promise<AttemptResult> {
  const observed = await observe(payments, operation.orderId, {
    payment,
    fact,
    // To a key that was sent before, Stripe gives the answer of that send: the payment may have moved since.
    notedVersion: operation.inDoubt ? null : payment.version,
    cause: `operation:${publicId('op', operation.id)}`,
    operation: { id: operation.id, fence: operation.fence, status, error },
  });
  if (observed.result === 'superseded') return overtaken(payments, operation, 'recording');
  if (runsBeside(operation.kind)) return DONE;
  const next = observed.payment.operations.find((known) => !runsBeside(known.kind) && isOpen(known.status));
  return { ...DONE, nextOperationId: next?.status === 'queued' ? next.id : null };
}

async function again(
  payments: Payments,
  operation: ClaimedOperation,
  postponement: Postponement,
  spendsAttempt: boolean,
): Promise<AttemptResult> {
  const { autocommit } = payments.database;
  const dueAt = await effect('worker.operation.postpone', () => postpone(autocommit, operation, postponement));
  if (dueAt === null) return overtaken(payments, operation, 'postponing');
  const reason = postponement.error.message ?? 'no answer';
  return { job: spendsAttempt ? { outcome: 'retry', at: dueAt, reason } : { outcome: 'snooze', until: dueAt }, nextOperationId: null };
}

/** The fence has refused a write: the lease ran out under this worker, and the operation is another's, or was ended by a fact. */
function overtaken(
  { logger }: Payments,
  { id, kind, fence }: ClaimedOperation,
  when: 'sending' | 'recording' | 'postponing',
): AttemptResult {
  countRefusedFence();
  logger.warn(
    { operationId: publicId('op', id), operation: kind, fence, when },
    'the fence refused a write of a worker that lost its lease',
  );
  return DONE;
}

/** Why the gate lets nothing pass; null when it does. */
async function whyHeld(ready: () => Promise<void>): Promise<StripeFailure | null> {
  try {
    await ready();
    return null;
  } catch (error) {
    if (error instanceof StripeFailure && error.kind === 'held') return error;
    throw error;
  }
}

/** Puts off what no call was let pass for: in doubt as before, and without having spent an attempt. Nothing may have been sent. */
async function holdBack(
  payments: Payments,
  operation: ClaimedOperation,
  { error, retryAfterMs, delayedBy }: StripeFailure,
): Promise<AttemptResult> {
  const { inDoubt: wasInDoubt, absentSince } = operation;
  return again(
    payments,
    operation,
    {
      status: wasInDoubt ? 'unknown' : 'queued',
      delayMs: retryAfterMs ?? 0,
      error,
      delayedBy,
      isUntried: true,
      ...(absentSince === null ? {} : { absentSince }),
    },
    false,
  );
}

function attemptFacts({ clock, entropy }: Payments, operation: ClaimedOperation): AttemptFacts {
  const { createdAt, firstSentAt, retriedAt } = operation;
  const since = (instant: Date): number => clock.now().getTime() - instant.getTime();
  return {
    ...operation,
    sinceOrderedMs: since(createdAt),
    sinceFirstSendMs: firstSentAt && since(firstSentAt),
    sinceRetryMs: retriedAt && since(retriedAt),
    chance: entropy.random(),
  };
}

function report({ logger }: Payments, operation: ClaimedOperation, failure: StripeFailure): void {
  const facts = {
    operationId: publicId('op', operation.id),
    operation: operation.kind,
    failure: failure.kind,
    httpStatus: failure.httpStatus,
    code: failure.error.code,
    declineCode: failure.error.declineCode,
    stripeRequestId: failure.requestId,
    attempt: operation.attempts,
  };
  if (needsAlarm(failure.kind))
    logger.error({ ...facts, reason: failure.error.message }, 'Stripe refuses us; nothing moves until this is mended');
  else if (failure.kind === 'declined') logger.info(facts, 'the card was declined');
  else logger.warn({ ...facts, reason: failure.error.message }, 'a call to Stripe gave no outcome');
}

const NOT_RECORDED: PaymentError = { code: null, declineCode: null, message: 'the outcome could not be recorded' };
const NOTHING_SEEN: PaymentError = {
  code: null,
  declineCode: null,
  message: 'a complete list did not have the refund; it is looked for once more',
};
const NOTHING_HAPPENED: PaymentError = { code: null, declineCode: null, message: 'a read showed that the earlier request had no effect' };

/** Stripe's idempotency key of an operation: from our own row, never from the client's key; a generation is a new request. */
export function stripeIdempotencyKey(operationId: string, generation: number): string {
  return `${publicId('op', operationId)}-${generation}`;
}
