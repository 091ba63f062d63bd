import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AttemptFacts, fullJitterMs, needsAlarm, type Plan, planAfter, planBefore } from './attempt-plan.js';
import { type OperationKind } from './payment.js';
import { type FailureKind } from './stripe/stripe-failure.js';

const HOUR_MS = 3_600_000;
const FIRST: AttemptFacts = {
  kind: 'confirm',
  generation: 1,
  sinceOrderedMs: 0,
  inDoubt: false,
  attempts: 1,
  sinceFirstSendMs: 0,
  sinceRetryMs: null,
  chance: 0.5,
};
const IN_DOUBT: AttemptFacts = { ...FIRST, inDoubt: true };

function plan(kind: FailureKind, facts: AttemptFacts = FIRST, more: { retryAfterMs?: number; isFinalForKey?: boolean } = {}): Plan {
  return planAfter({ kind, retryAfterMs: null, isFinalForKey: false, ...more }, facts);
}

/** What becomes of the operation: its status, and whether an attempt was spent on it. */
function outcome(made: Plan): string {
  switch (made.plan) {
    case 'settle':
      return made.status;
    case 'resolve':
      return 'read';
    case 'again':
      return `${made.status}, ${made.spendsAttempt ? 'attempt spent' : 'free wait'}`;
  }
}

describe("what a worker does after Stripe's answer", () => {
  /** The table of the contract, "Stripe's answers and what a worker does", row by row. */
  const rows: readonly (readonly [answer: string, kind: FailureKind, first: string, whenInDoubt: string])[] = [
    ['the card was declined', 'declined', 'declined', 'declined'],
    ['no answer, or one that is none', 'unknown', 'unknown, attempt spent', 'unknown, attempt spent'],
    ['the connection could not be made', 'not_sent', 'queued, attempt spent', 'unknown, attempt spent'],
    ['409, a twin is in flight', 'busy', 'unknown, free wait', 'unknown, free wait'],
    ['429 or a locked object', 'throttled', 'queued, free wait', 'unknown, free wait'],
    ['401 or 403', 'misconfigured', 'queued, free wait', 'unknown, free wait'],
    ['what only a bug of ours explains', 'bug', 'parked', 'parked'],
    ['any other refusal', 'rejected', 'rejected', 'rejected'],
  ];
  for (const [answer, kind, first, whenInDoubt] of rows) {
    it(`${answer}: ${first}; ${whenInDoubt} once an earlier send is in doubt`, () => {
      assert.equal(outcome(plan(kind)), first);
      assert.equal(outcome(plan(kind, IN_DOUBT)), whenInDoubt);
    });
  }

  it('reads instead of sending again when the answer is final for the key, as a replayed 500 is', () => {
    assert.deepEqual(plan('unknown', FIRST, { isFinalForKey: true }), { plan: 'resolve' });
    assert.deepEqual(plan('unknown', IN_DOUBT, { isFinalForKey: true }), { plan: 'resolve' });
  });

  it('stays unknown through any number of 409, 429, 401, 403 and refused connections', () => {
    const waiting = fc.constantFrom<FailureKind>('busy', 'throttled', 'misconfigured', 'not_sent', 'unknown');
    fc.assert(
      fc.property(fc.array(waiting, { minLength: 1 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (kinds, chance) => {
        let inDoubt = true;
        for (const [index, kind] of kinds.entries()) {
          const made = plan(kind, { ...FIRST, inDoubt, attempts: index + 1, sinceFirstSendMs: index * 1_000, chance });
          assert.equal(made.plan === 'again' && made.status, 'unknown');
          inDoubt = made.plan === 'again' && made.status === 'unknown';
        }
      }),
    );
  });

  it('calls a person for our own bugs and our configuration, and for nothing else', () => {
    const kinds: readonly FailureKind[] = ['declined', 'unknown', 'busy', 'not_sent', 'throttled', 'misconfigured', 'bug', 'rejected'];
    assert.deepEqual(kinds.filter(needsAlarm), ['misconfigured', 'bug']);
  });
});

describe('the wait before the next attempt', () => {
  const delayOf = (made: Plan): number => {
    if (made.plan !== 'again') assert.fail(`nothing is sent again: ${made.plan}`);
    return made.delayMs;
  };

  it('is what Retry-After asks for, where Stripe sent one', () => {
    for (const kind of ['throttled', 'unknown', 'not_sent'] as const) {
      assert.equal(delayOf(plan(kind, { ...FIRST, chance: 0.99 }, { retryAfterMs: 7_000 })), 7_000);
      assert.equal(delayOf(plan(kind, FIRST, { retryAfterMs: 0 })), 0);
    }
  });

  it('is full jitter otherwise: 0.5 s doubled with each attempt, at most 8 s', () => {
    const caps = [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000];
    for (const [index, cap] of caps.entries()) {
      assert.equal(fullJitterMs(index + 1, 0), 0);
      assert.equal(fullJitterMs(index + 1, 0.5), cap / 2);
      assert.equal(fullJitterMs(index + 1, 1 - Number.EPSILON), cap - 1);
    }
    for (const kind of ['throttled', 'unknown', 'not_sent'] as const)
      assert.equal(delayOf(plan(kind, { ...FIRST, attempts: 3, chance: 0.25 })), 500);
  });

  it('is a whole number from 0 to below 8 s after any number of attempts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, chance) => {
          const delayMs = fullJitterMs(attempts, chance);
          assert.ok(Number.isInteger(delayMs) && delayMs >= 0 && delayMs < 8_000);
        },
      ),
    );
  });

  it('is 1 to 5 s while a twin is in flight', () => {
    assert.equal(delayOf(plan('busy', { ...FIRST, chance: 0 })), 1_000);
    assert.ok(delayOf(plan('busy', { ...FIRST, chance: 1 - Number.EPSILON })) <= 5_000);
    assert.ok(delayOf(plan('busy', { ...FIRST, chance: 1 - Number.EPSILON })) > 4_900);
  });

  it('is 30 s while our credentials are refused, however often', () => {
    for (const attempts of [1, 50]) assert.equal(delayOf(plan('misconfigured', { ...FIRST, attempts })), 30_000);
  });
});

describe('what a worker does before it sends', () => {
  const before = (inDoubt: boolean, sinceFirstSendMs: number | null, sinceRetryMs: number | null = null): string =>
    planBefore({ ...FIRST, inDoubt, sinceFirstSendMs, sinceRetryMs });

  it('sends what was never sent, and what certainly had no effect, however old it is', () => {
    assert.equal(before(false, null), 'send');
    assert.equal(before(false, 100 * HOUR_MS), 'send');
  });

  it('sends an unknown operation under the same key until 23 h after its first send', () => {
    assert.equal(before(true, 0), 'send');
    assert.equal(before(true, 23 * HOUR_MS), 'send');
  });

  it('reads from then on, as Stripe may have forgotten the key', () => {
    assert.equal(before(true, 23 * HOUR_MS + 1), 'resolve');
    assert.equal(before(true, 72 * HOUR_MS), 'resolve');
  });

  it('only reads about what a person took up again, however old it is, and parks it after another 72 h', () => {
    for (const sinceFirstSendMs of [null, 0, 100 * HOUR_MS]) {
      for (const inDoubt of [true, false]) {
        assert.equal(before(inDoubt, sinceFirstSendMs, 0), 'resolve');
        assert.equal(before(inDoubt, sinceFirstSendMs, 72 * HOUR_MS), 'resolve');
        assert.equal(before(inDoubt, sinceFirstSendMs, 72 * HOUR_MS + 1), 'park');
      }
    }
  });

  it('looks an object up before its first send once the key is older than Stripe keeps it, as a restored backup may not know of a send', () => {
    const age = (kind: OperationKind, sinceOrderedMs: number, more: Partial<AttemptFacts> = {}): string =>
      planBefore({ ...FIRST, kind, sinceOrderedMs, sinceFirstSendMs: null, ...more });
    for (const kind of ['customer', 'create', 'refund'] as const) {
      assert.equal(age(kind, 23 * HOUR_MS), 'send');
      assert.equal(age(kind, 23 * HOUR_MS + 1), 'resolve');
      // The second of two lists, and however late: nothing is known to have been sent, so nothing is given up.
      assert.equal(age(kind, 100 * HOUR_MS, { inDoubt: true }), 'resolve');
      // A new key was made because a read found nothing.
      assert.equal(age(kind, 100 * HOUR_MS, { generation: 2 }), 'send');
    }
    for (const kind of ['confirm', 'capture', 'cancel', 'cancel_orphan'] as const) assert.equal(age(kind, 100 * HOUR_MS), 'send');
  });

  it('parks what is unknown for more than 72 h', () => {
    assert.equal(before(true, 72 * HOUR_MS + 1), 'park');
  });
});
