import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  admit,
  afterAnswer,
  afterFailure,
  type Breaker,
  type BreakerCause,
  type BreakerChange,
  type BreakerName,
  CLOSED,
} from './breaker.js';
import { breakersOf, type CallEnd, type Endpoint, toldBy } from './endpoint.js';

const CALL = { isProbe: false, failuresMax: 3, chance: 0.5 };
const PROBE = { ...CALL, isProbe: true };
const OPEN: Breaker = { ...CLOSED, cause: 'outage', failures: 3, trips: 1, opensInMs: 900, version: 7 };
const HALF_OPEN: Breaker = { ...OPEN, opensInMs: 0 };

/** The breaker once a change was written and `elapsedMs` have passed. */
function become(before: Breaker, change: BreakerChange | null, elapsedMs = 0): Breaker {
  if (change === null) return before;
  const { openForMs, ...rest } = change;
  return { ...rest, opensInMs: Math.max(0, openForMs - elapsedMs), probeLeftMs: 0, version: before.version + 1 };
}

describe('a breaker', () => {
  it('lets calls pass while closed, none while open, and one when its time is over', () => {
    assert.equal(admit(CLOSED), 'pass');
    assert.deepEqual(admit(OPEN), { waitMs: 900 });
    assert.equal(admit(HALF_OPEN), 'probe');
    assert.deepEqual(admit({ ...HALF_OPEN, probeLeftMs: 1_200 }), { waitMs: 1_200 });
  });

  it('opens at so many outage failures in a row', () => {
    let breaker = CLOSED;
    for (const failures of [1, 2]) {
      breaker = become(breaker, afterFailure(breaker, 'outage', CALL));
      assert.deepEqual([breaker.cause, breaker.failures], [null, failures]);
    }
    breaker = become(breaker, afterFailure(breaker, 'outage', CALL));
    assert.deepEqual([breaker.cause, breaker.trips], ['outage', 1]);
  });

  it('never opens while answers come in between', () => {
    let breaker = CLOSED;
    for (let round = 0; round < 50; round += 1) {
      for (let failure = 1; failure < CALL.failuresMax; failure += 1) breaker = become(breaker, afterFailure(breaker, 'outage', CALL));
      breaker = become(breaker, afterAnswer(breaker, false));
    }
    assert.deepEqual([breaker.cause, breaker.failures], [null, 0]);
  });

  it('opens at one refusal of our credentials, for 30 s', () => {
    assert.deepEqual(afterFailure(CLOSED, 'credentials', CALL), { cause: 'credentials', failures: 1, trips: 1, openForMs: 30_000 });
  });

  it('writes nothing when a call succeeds and all is well', () => {
    assert.equal(afterAnswer(CLOSED, false), null);
    assert.notEqual(afterAnswer({ ...CLOSED, failures: 1 }, false), null);
  });

  it('listens to its probe alone while open: what was sent before says nothing of now', () => {
    for (const breaker of [OPEN, HALF_OPEN]) {
      assert.equal(afterAnswer(breaker, false), null);
      assert.equal(afterFailure(breaker, 'outage', CALL), null);
    }
    assert.deepEqual(afterAnswer(HALF_OPEN, true), { cause: null, failures: 0, trips: 0, openForMs: 0 });
    assert.equal(afterFailure(HALF_OPEN, 'outage', PROBE)?.trips, 2);
  });

  it('stays open for longer each time, between half a second and 8 s whatever chance says', () => {
    const openedFor = (trips: number, chance: number): number =>
      afterFailure({ ...HALF_OPEN, trips }, 'outage', { ...PROBE, chance })?.openForMs ?? 0;
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 1_000].map((trips) => openedFor(trips, 0.999_999)).map(Math.round),
      [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000],
    );
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (trips, chance) => {
        const ms = openedFor(trips, chance);
        assert.ok(ms >= 500 && ms <= 8_000);
      }),
    );
  });
});

describe('the end of a call', () => {
  const OUTAGE: CallEnd = { kind: 'unknown', isOutage: true };
  const REFUSED: CallEnd = { kind: 'misconfigured', isOutage: false };
  const DECLINED: CallEnd = { kind: 'declined', isOutage: false };
  const rows: readonly (readonly [what: string, Endpoint, CallEnd, told: Partial<Record<BreakerName, BreakerCause | null>>])[] = [
    ['a write that is answered', 'refunds.create', null, { stripe: null, refunds: null }],
    ['a write that is declined', 'payment_intents.confirm', DECLINED, { stripe: null, payment_intents: null }],
    ['a write that meets an outage', 'payment_intents.create', OUTAGE, { stripe: 'outage' }],
    ['a write that is refused our credentials', 'checkout_sessions.create', REFUSED, { stripe: null, checkout_sessions: 'credentials' }],
    ['a read that is answered', 'reads', null, { reads: null }],
    ['a read that meets an outage', 'reads', OUTAGE, { reads: 'outage' }],
    ['a read that is refused our credentials', 'reads', REFUSED, { reads: 'credentials' }],
  ];
  for (const [what, endpoint, end, told] of rows) {
    it(`is told to its own breakers alone: ${what}`, () => {
      assert.deepEqual(Object.fromEntries(toldBy(endpoint, end)), told);
      for (const name of Object.keys(told)) assert.ok(breakersOf(endpoint).some((known) => known === name));
    });
  }
});
