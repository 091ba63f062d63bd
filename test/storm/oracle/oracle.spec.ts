import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundsFor, lateness } from '../convergence.js';
import { unseenRules } from '../report.js';
import { CANARIES } from '../secrets.js';
import { type Evidence, type Scan, type TimelineRow } from './evidence.js';
import { answered, type Mutable, soundEvidence } from './forged-evidence.js';
import { judge } from './oracle.js';
import { publicIdOf } from './public-id.js';
import { scanLines } from './scan-texts.js';

type Forge = (evidence: Mutable<Evidence>) => unknown;

/** The n-th of a list that a forgery changes. */
function nth<T>(list: readonly T[], index: number): T {
  const found = list[index];
  assert.ok(found !== undefined);
  return found;
}

const FORGERIES: readonly (readonly [rule: string, what: string, forge: Forge])[] = [
  ['R1', 'an acknowledged order that is gone', ({ dump }) => dump.orders.shift()],
  ['R1', 'an acknowledged refund that is gone', ({ dump }) => dump.refunds.shift()],
  ['R1', 'an acknowledged command whose key is gone', ({ dump }) => dump.keys.pop()],
  ['R2', 'a key that is stored twice', ({ dump }) => dump.keys.push({ ...nth(dump.keys, 0) })],
  ['R2', 'a key nobody ever sent', ({ dump }) => dump.keys.push({ ...nth(dump.keys, 0), key: 'made up', location: '/v1/orders/ord_9' })],
  ['R2', 'an order that no key made', ({ dump }) => dump.orders.push({ ...nth(dump.orders, 1), id: 'ord_3' })],
  ['R2', 'an order that two keys made', ({ dump }) => dump.keys.push({ ...nth(dump.keys, 0), key: 'key-other', account: 'c' })],
  ['R2', 'a second operation that creates an intent', ({ dump }) => dump.operations.push({ ...nth(dump.operations, 0), id: 'op_9' })],
  [
    'R2',
    'an attempt to pay that nobody ordered',
    ({ dump }) => dump.operations.push({ ...nth(dump.operations, 1), id: 'op_9', orderedBy: 'pay' }),
  ],
  ['R2', 'a refund that nobody is to make', ({ dump }) => dump.operations.splice(2, 1)],
  [
    'R2',
    'an accepted cancel that nobody is to carry out',
    ({ dump, history }) => {
      history.begin({ ...nth(history.commands, 1), key: 'key-cancel', verb: 'cancel', path: '/v1/orders/ord_2/cancel' });
      dump.keys.push({ ...nth(dump.keys, 1), key: 'key-cancel' });
    },
  ],
  ['R2', 'a write at Stripe that no row ordered', ({ dump }) => dump.operations.splice(2, 1)],
  ['R2', 'a write at Stripe without a key', ({ journal }) => journal.push({ ...nth(journal, 0), idempotencyKey: null } as never)],
  [
    'R2',
    'one key at Stripe for a charge and a refund',
    ({ journal }) => journal.push({ ...nth(journal, 4), idempotencyKey: 'op_1-1' } as never),
  ],
  [
    'R2',
    'a key at Stripe of a generation nobody began',
    ({ journal }) => journal.push({ ...nth(journal, 0), idempotencyKey: 'op_1-2' } as never),
  ],
  ['R3', 'another body in a replay', ({ history }) => answered(nth(history.commands, 0), 201, 'other bytes', '/v1/orders/ord_1', true)],
  [
    'R3',
    'another Location in a replay',
    ({ history }) => answered(nth(history.commands, 0), 201, 'body of ord_1', '/v1/orders/ord_2', true),
  ],
  [
    'R3',
    'a command that was carried out twice',
    ({ history }) => answered(nth(history.commands, 0), 201, 'body of ord_1', '/v1/orders/ord_1'),
  ],
  ['R3', 'a repetition that was refused', ({ history }) => answered(nth(history.commands, 0), 422, '', null)],
  [
    'R3',
    'another refusal than the one that is stored',
    ({ history }) => answered(nth(history.commands, 3), 409, 'other bytes', null, true),
  ],
  ['R3', 'a stored refusal that was decided anew', ({ history }) => answered(nth(history.commands, 3), 409, 'refusal', null)],
  ['R3', 'a stored body that nobody was answered', ({ dump }) => (nth(dump.keys, 0).digest = 'other bytes')],
  [
    'R4',
    'another request under a used key that was accepted',
    ({ history }) => nth(history.commands, 0).otherRequests.push({ ...nth(nth(history.commands, 0).attempts, 0) }),
  ],
  ['R5', 'a second charge', ({ journal }) => journal.push({ ...nth(journal, 2) })],
  ['R5', 'a second charge by a second intent', secondIntent],
  ['R5', 'a charge of another amount', ({ journal }) => ((nth(journal, 2) as { amount: number }).amount += 1)],
  ['R5', 'a charge in another currency', ({ journal }) => ((nth(journal, 2) as { currency: string }).currency = 'eur')],
  ['R5', 'a capture of more than the order', ({ journal }) => ((nth(journal, 3) as { amount: number }).amount += 1)],
  ['R6', 'more returned than captured', ({ journal }) => journal.push({ ...nth(journal, 5), refund: 're_2', amount: 301 } as never)],
  ['R6', 'more refunds accepted than there is to return', forgeRefund],
  [
    'R6',
    'a refund reserved beside others that leave no room for it',
    ({ dump }) => dump.timeline.push(reserved(nth(dump.timeline, 3), 301)),
  ],
  ['R7', 'a status that is not the intent’s', ({ dump }) => (nth(dump.orders, 1).payment = 'requires_action')],
  ['R7', 'an order that is not as its payment says', ({ dump }) => (nth(dump.orders, 1).status = 'pending')],
  ['R7', 'a captured amount that is not Stripe’s', ({ dump }) => (nth(dump.orders, 0).captured = 499)],
  ['R7', 'a currency that is not Stripe’s', ({ dump }) => (nth(dump.orders, 0).currency = 'eur')],
  ['R7', 'a refund in another currency', ({ dump }) => (nth(dump.refunds, 0).currency = 'eur')],
  ['R7', 'a dispute that is not as Stripe has it', ({ stripe }) => (nth(stripe.disputes, 0).status = 'lost')],
  ['R7', 'a dispute that Stripe does not have', ({ stripe }) => stripe.disputes.pop()],
  ['R7', 'a dispute that we do not have', ({ stripe }) => stripe.disputes.push({ ...nth(stripe.disputes, 0), payment_intent: 'pi_2' })],
  [
    'R7',
    'a session that no row of ours has',
    ({ stripe }) => stripe.sessions.push({ id: 'cs_9', status: 'open', payment_intent: null, metadata: {} }),
  ],
  ['R7', 'a customer that no row of ours has', ({ stripe }) => stripe.customers.push({ id: 'cus_9', metadata: {} })],
  ['R7', 'a customer that Stripe does not have', ({ stripe }) => stripe.customers.pop()],
  ['R7', 'a refund that Stripe does not have', ({ stripe }) => stripe.refunds.pop()],
  ['R7', 'a refund that we do not have', ({ stripe }) => stripe.refunds.push({ ...nth(stripe.refunds, 0), id: 're_2' })],
  ['R7', 'an intent that Stripe does not have', ({ stripe }) => stripe.intents.pop()],
  ['R7', 'an intent that no row of ours has', ({ stripe }) => stripe.intents.push({ ...nth(stripe.intents, 1), id: 'pi_9' })],
  ['R7', 'an operation that never ended', ({ dump }) => (nth(dump.operations, 2).status = 'unknown')],
  ['R7', 'a contradiction that was written down', ({ dump }) => dump.discrepancies.push('amount_differs')],
  ['life', 'a command that was never answered', ({ failures }) => failures.push('create was never answered')],
  ['R8', 'a state that regressed', ({ dump }) => dump.timeline.push({ ...nth(dump.timeline, 2), from: 'paid', to: 'pending' })],
  [
    'R8',
    'a refund that regressed',
    ({ dump }) => Object.assign(nth(dump.timeline, 4), { type: 'refund.pending', from: 'succeeded', to: 'pending' }),
  ],
  ['R8', 'a dispute that came back', ({ dump }) => dump.timeline.push({ ...nth(dump.timeline, 6), from: 'lost' })],
  ['R8', 'a line that is named after another state', ({ dump }) => (nth(dump.timeline, 2).type = 'order.authorized')],
  ['R8', 'a state that a buyer saw regress', ({ history }) => history.orders.get('ord_1')?.statuses.push('requires_payment')],
  ['R9', 'an event that is stored twice', ({ dump }) => dump.events.push({ ...nth(dump.events, 0) })],
  ['R9', 'an event that took effect twice', ({ dump }) => dump.timeline.push({ ...nth(dump.timeline, 1) })],
  ['R9', 'an acknowledged event that is not stored', ({ stripe }) => stripe.delivered.add('evt_2')],
  ['R9', 'an event that was lost and never looked for', ({ stripe }) => stripe.events.push({ ...nth(stripe.events, 0), id: 'evt_2' })],
  ['R9', 'a stored event that Stripe never said', ({ dump }) => dump.events.push({ ...nth(dump.events, 0), id: 'evt_9' })],
  ['R9', 'an event that was changed on its way', ({ dump }) => (nth(dump.events, 0).livemode = true)],
  ['R9', 'an event that was never applied', ({ dump }) => (nth(dump.events, 0).status = 'held')],
  ['R9', 'an event that is refused for ever', ({ stripe }) => (nth(stripe.events, 0).pending_webhooks = 1)],
  ['R10', 'a message left in the outbox', ({ dump }) => dump.outbox.push({ id: '0198', text: '{"kind":"payment-operation"}' })],
  ['R11', 'a change that is not on the timeline', ({ dump }) => dump.timeline.splice(5, 1)],
  ['R11', 'a change of a refund that is not on the timeline', ({ dump }) => dump.timeline.splice(4, 1)],
  ['R11', 'a dispute that is not on the timeline', ({ dump }) => dump.timeline.splice(6, 1)],
  ['R11', 'a gap in the timeline', ({ dump }) => (nth(dump.timeline, 5).from = 'refunded')],
  ['R11', 'a change without a cause', ({ dump }) => (nth(dump.timeline, 2).cause = '')],
  ['R11', 'a cause that names nothing', ({ dump }) => (nth(dump.timeline, 2).cause = 'webhook')],
  ['R11', 'a change that is older than the one before', ({ dump }) => (nth(dump.timeline, 2).at = 999)],
  ['R12', 'a key in a log', ({ scans }) => scans.push(scanned('api.log', ['all is well', `took ${CANARIES.idempotencyKey}-1`]))],
  ['R12', 'a client secret in a job', ({ scans }) => scans.push(scanned('jobs', ['{"s":"pi_3abc_secret_xyz"}']))],
  [
    'R13',
    'an answer to the other account',
    ({ history }) => history.trespasses.push({ what: 'GET /v1/orders', isRefused: false, answer: 'ord_1' }),
  ],
  ['time', 'a convergence that took too long', ({ times }) => times.late.push('31 s')],
  ['R13', 'an order in the other account', ({ dump }) => (nth(dump.orders, 1).account = 'a')],
];

function scanned(what: string, lines: readonly string[]): Mutable<Scan> {
  const { found, ...rest } = scanLines(what, lines);
  return { ...rest, found: [...found] };
}

function secondIntent({ stripe, journal }: Mutable<Evidence>): void {
  stripe.intents.push({ ...nth(stripe.intents, 0), id: 'pi_9' });
  journal.push({ ...nth(journal, 2), paymentIntent: 'pi_9' } as never);
}

function forgeRefund({ history, dump }: Mutable<Evidence>): void {
  const command = history.begin({ ...nth(history.commands, 2), key: 'key-refund-2', amount: 301 });
  answered(command, 201, 'body of ref_2', '/v1/refunds/ref_2');
  dump.refunds.push({ ...nth(dump.refunds, 0), id: 'ref_2', amount: 301 });
}

function reserved(line: Mutable<TimelineRow>, amount: number): Mutable<TimelineRow> {
  return { ...line, refund: 'ref_2', amount };
}

describe('the oracle', () => {
  it('finds every rule kept where every rule is kept, and has looked at facts of each', () => {
    const verdicts = judge(soundEvidence());
    assert.deepEqual(
      verdicts.flatMap(({ rule, violations }) => violations.map((violation) => `${rule}: ${violation}`)),
      [],
    );
    assert.deepEqual(
      verdicts.filter(({ facts }) => facts === 0).map(({ rule }) => rule),
      [],
    );
    const rules = [...Array.from({ length: 13 }, (_, n) => `R${n + 1}`), 'life', 'time'];
    assert.deepEqual([...new Set(verdicts.map(({ rule }) => rule))].toSorted(), rules.toSorted());
  });

  for (const [rule, what, forge] of FORGERIES) {
    it(`sees ${what}: ${rule}`, () => {
      const evidence = soundEvidence();
      forge(evidence);
      const broken = judge(evidence).filter(({ violations }) => violations.length > 0);
      assert.ok(
        broken.some((verdict) => verdict.rule === rule),
        `found instead: ${broken.map((verdict) => verdict.rule).join() || 'nothing'}`,
      );
    });
  }

  it('writes public ids as the specification of TypeID has them', () => {
    assert.equal(publicIdOf('prefix', '01890a5d-ac96-774b-bcce-b302099a8057'), 'prefix_01h455vb4pex5vsknk084sn02q');
  });
});

describe('what a storm took', () => {
  const many = (count: number, ms: number): readonly number[] => Array.from({ length: count }, () => ms);
  const calm = { differences: [], timesMs: many(98, 1_000), calmMs: 1_000 };
  const late = (timesMs: readonly number[], orderMs = 1_000): readonly string[] =>
    lateness({ ...calm, timesMs: [...calm.timesMs, ...timesMs] }, boundsFor(orderMs));

  for (const [what, found, words] of [
    ['no longer than allowed is right', late([9_000, 9_000]), []],
    ['more than 10 s at the p99 is late', late([11_000, 11_000]), ['the p99 was over only after 11.0 s']],
    ['more than 10 s in one of a hundred is right', late([1_000, 11_000]), []],
    ['more than 30 s once is late', late([1_000, 31_000]), ['was over only after 31.0 s']],
    ['twice as much on a machine half as fast is right', late([19_000, 19_000], 3_000), []],
  ] as const) {
    it(what, () => {
      assert.equal(found.length, words.length, found.join());
      for (const [index, word] of words.entries()) assert.ok(found[index]?.includes(word), found.join());
    });
  }

  it('long enough without a fact of a rule is a failure of its own', () => {
    const verdicts = [{ rule: 'R4', says: '', facts: 0, violations: [] }];
    assert.deepEqual([unseenRules({ minutes: 2 }, { verdicts }), unseenRules({ minutes: 0.4 }, { verdicts })], [['R4'], []]);
  });
});
