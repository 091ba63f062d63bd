import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { loadReconciliation, type Reconciliation, type ReconciliationReport, requestReconciliation } from '#libs/payments';
import { systemEntropy, uuidOf } from '#libs/primitives';
import { command, intentOf, operationsOf, refund, refundIn, timelineOf } from '../support/commands.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { eventsOf, eventStatus } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

const RETURN_URL = 'https://shop.example/return';

let stack: Stack;
let database: Database;

before(async () => {
  stack = await startStack();
  database = new Database({ url: stack.database.url, behindPooler: false, onError: () => undefined });
});
after(async () => {
  await database.close();
  await stack.close();
});

function ended(id: string): Promise<Reconciliation> {
  return waitFor('the reconciliation to end', async () => {
    const seen = await loadReconciliation(database.autocommit, id);
    if (seen?.status === 'done') return seen;
    throw new Error(JSON.stringify(seen));
  });
}

async function reconcile(dryRun: boolean): Promise<ReconciliationReport> {
  const request = { dryRun, requestedBy: 'the test', now: new Date(), newId: () => systemEntropy.uuid() };
  const { report, startedAt, finishedAt } = await ended(await requestReconciliation(database.autocommit, request));
  assert.ok(report && startedAt && finishedAt);
  return report;
}

/** What a report counts. */
function counts(report: ReconciliationReport): object {
  return Object.fromEntries(Object.entries(report).filter(([, value]) => typeof value === 'number'));
}

/** The kinds of the differences, with what was done about each. */
function remedies({ differences }: ReconciliationReport): readonly string[] {
  return differences.map(({ kind, object, remedy }) => `${object} ${kind} ${remedy}`).toSorted();
}

const paid = async (overrides = {}): Promise<OrderJson> => stack.orderIn((await stack.order(overrides)).id, 'paid');

/** Everything that can differ, once each. */
interface Broken {
  readonly behind: OrderJson;
  readonly refunded: OrderJson;
  readonly lost: OrderJson;
  /** What `lost` was refunded by. */
  readonly lostRefundId: string;
  /** The session of an order that was lost with its row. */
  readonly lostSessionId: string;
  readonly vanished: OrderJson;
  readonly captured: OrderJson;
  readonly orphaned: OrderJson;
  readonly orphanId: string;
}

async function breakEverything(): Promise<Broken> {
  const behind = await stack.orderIn((await stack.order({ paymentMethod: undefined, returnUrl: RETURN_URL })).id, 'requires_payment');
  const [refunded, lost, orphaned, authorized] = await Promise.all([
    paid(),
    paid(),
    paid(),
    stack.order({ captureMethod: 'manual' }).then(({ id }) => stack.orderIn(id, 'authorized')),
  ]);
  const hosted = async (): Promise<OrderJson> =>
    stack.orderIn((await stack.order({ checkout: 'hosted', paymentMethod: undefined, returnUrl: RETURN_URL })).id, 'requires_payment');
  const [lostHosted] = await Promise.all([hosted(), hosted()]);
  const { stripeRefundId } = await refundIn(stack, (await refund(stack, lost.id, { amount: 100 })).id, 'succeeded');
  const vanished = await stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment');
  await command(stack, authorized.id, 'capture', { amount: 1_500 });
  const captured = await stack.orderIn(authorized.id, 'paid');

  await stack.control('/_sim/webhooks', { action: 'drop' });
  await stack.stripe.paymentIntents.confirm(intentOf(behind), { payment_method: 'pm_card_visa', return_url: RETURN_URL });
  await stack.stripe.refunds.create({ payment_intent: intentOf(refunded), amount: 300 });
  // As in a database that was restored from a backup.
  const [session] = await stack.database.query<{ id: string }>('SELECT checkout_session_id AS id FROM payments WHERE order_id = $1::uuid', [
    uuidOf('ord', lostHosted.id),
  ]);
  for (const { id } of [lost, lostHosted]) await stack.database.query('DELETE FROM orders WHERE id = $1::uuid', [uuidOf('ord', id)]);
  await stack.database.query(`UPDATE payments SET stripe_payment_intent_id = 'pi_vanished' WHERE order_id = $1::uuid`, [
    uuidOf('ord', vanished.id),
  ]);
  await stack.stripe.paymentIntents.update(intentOf(vanished), { metadata: { oncepay_instance: '' } });
  await stack.database.query('UPDATE orders SET amount_captured = 2000 WHERE id = $1::uuid', [uuidOf('ord', captured.id)]);
  // As an earlier generation of the create would have left it.
  const { metadata } = await stack.stripe.paymentIntents.retrieve(intentOf(orphaned));
  const { id: orphanId } = await stack.stripe.paymentIntents.create({ amount: orphaned.amount, currency: 'usd', metadata });
  const { id: foreign } = await stack.stripe.paymentIntents.create({
    amount: 700,
    currency: 'usd',
    metadata: { shop: 'another' },
    payment_method: 'pm_card_visa',
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });
  const another = { oncepay_instance: 'another', oncepay_operation: 'op_of_another' };
  await stack.stripe.refunds.create({ payment_intent: foreign, metadata: another });
  await stack.stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: RETURN_URL,
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 700, product_data: { name: 'Theirs' } } }],
    metadata: another,
  });
  const [lostRefundId, lostSessionId] = [stripeRefundId ?? assert.fail(), session?.id ?? assert.fail()];
  return { behind, refunded, lost, lostRefundId, lostSessionId, vanished, captured, orphaned, orphanId };
}

describe('a reconciliation', () => {
  let broken: Broken;

  it('finds nothing where nothing differs', async () => {
    await paid();
    const report = await reconcile(false);
    assert.deepEqual([report.compared, report.equal, report.differences], [1, 1, []]);
  });

  it('that is dry reports every difference with both values and changes nothing', async () => {
    broken = await breakEverything();
    const state = (): Promise<object[]> =>
      stack.database
        .query(`SELECT o.id, o.version, p.status, (SELECT count(*) FROM payment_operations) AS operations, (SELECT count(*) FROM discrepancies) AS found
        FROM orders o JOIN payments p ON p.order_id = o.id ORDER BY o.id`);
    const before = await state();
    const report = await reconcile(true);
    assert.deepEqual(remedies(report), [
      'payment behind none',
      'payment captured_differs none',
      'payment missing_at_stripe none',
      'payment object_without_order none',
      'payment object_without_order none',
      'payment orphan none',
      'refund behind none',
      'refund object_without_order none',
    ]);
    const { ours, stripes, order } =
      report.differences.find(({ stripeObjectId }) => stripeObjectId === intentOf(broken.behind)) ?? assert.fail();
    assert.deepEqual([order, ours?.['status'], stripes?.['status']], [broken.behind.id, 'requires_payment_method', 'succeeded']);
    assert.deepEqual(await state(), before);
  });

  it('repairs what it can through the one door, and writes down what it cannot', async () => {
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    const report = await reconcile(false);
    assert.deepEqual(counts(report), {
      compared: 12,
      equal: 4,
      repaired: 2,
      discrepancies: 1,
      missingHere: 3,
      missingAtStripe: 1,
      orphans: 1,
      unsettled: 0,
      differencesOmitted: 0,
    });
    assert.deepEqual(remedies(report), [
      'payment behind repaired',
      'payment captured_differs noted',
      'payment missing_at_stripe noted',
      'payment object_without_order noted',
      'payment object_without_order noted',
      'payment orphan orphan_canceled',
      'refund behind repaired',
      'refund object_without_order noted',
    ]);
    assert.equal((await stack.readOrder(broken.behind.id)).status, 'paid');
    assert.ok(
      (await timelineOf(stack, broken.behind.id)).some(
        ({ type, cause }) => type === 'order.paid' && cause.startsWith('reconciliation:rec_'),
      ),
    );
    const { status, amountRefunded } = await stack.readOrder(broken.refunded.id);
    assert.deepEqual([status, amountRefunded], ['partially_refunded', 300]);
    const found = await stack.database.query<{ kind: string; stripe_object_id: string; ours: unknown; stripes: unknown }>(
      'SELECT kind, stripe_object_id, ours, stripes FROM discrepancies ORDER BY kind, stripe_object_id',
    );
    assert.deepEqual(
      found.map(({ kind, stripe_object_id: id, ours, stripes }) => [kind, id, ours !== null, stripes !== null]),
      [
        ['captured_differs', intentOf(broken.captured), true, true],
        ['missing_at_stripe', 'pi_vanished', true, false],
        ['object_without_order', broken.lostSessionId, false, true],
        ['object_without_order', intentOf(broken.lost), false, true],
        ['object_without_order', broken.lostRefundId, false, true],
      ],
    );
  });

  it('cancels an unconfirmed intent that an earlier create left behind, by an operation of its own, and leaves the order as it is', async () => {
    const { orphanId, orphaned } = broken;
    await waitFor('the orphan to be canceled', async () => (await stack.stripe.paymentIntents.retrieve(orphanId)).status === 'canceled');
    const [operation] = await waitFor('its operation to be done', async () => {
      const own = (await operationsOf(stack, orphaned.id)).filter(({ kind }) => kind === 'cancel_orphan');
      return own[0]?.status === 'done' && own;
    });
    assert.equal(operation?.ordered_by, 'reconciliation');
    const { status, payment } = await stack.readOrder(orphaned.id);
    assert.deepEqual([status, payment.pendingOperation, intentOf(orphaned)], ['paid', null, payment.stripePaymentIntentId]);
    const told = (await eventsOf(stack, orphanId)).find(({ type }) => type === 'payment_intent.canceled') ?? assert.fail();
    await waitFor('the event of the cancellation to be ignored', async () => (await eventStatus(stack, told.id)) === 'ignored');
  });

  it('that is repeated finds only what waits for a person, who is shown it as it is, also when it was taken for resolved', async () => {
    const shown = (): Promise<object[]> =>
      stack.database.query(
        `SELECT kind, stripe_object_id, ours, stripes, resolved_at, found_at > now() - interval '1 hour' AS lately FROM discrepancies ORDER BY kind, stripe_object_id`,
      );
    const before = await shown();
    await stack.database.query(
      `UPDATE discrepancies SET ours = '{}', stripes = '{}', found_at = now() - interval '1 day',
         resolved_at = CASE WHEN stripe_object_id <> $1 THEN now() END`,
      [broken.lostSessionId],
    );
    const { repaired, orphans, discrepancies, missingHere, missingAtStripe } = await reconcile(false);
    assert.deepEqual([repaired, orphans, discrepancies, missingHere, missingAtStripe], [0, 0, 1, 3, 1]);
    assert.deepEqual(
      await shown(),
      before.map((row) => ({ ...row, lately: !Object.values(row).includes(broken.lostSessionId) })),
    );
  });

  it('whose worker died, or whose job was lost, is taken up again; an outage spends no attempt', async () => {
    const id = systemEntropy.uuid();
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/payment_intents', action: 'error', status: 503, count: 1 });
    await stack.database.query(
      `INSERT INTO reconciliations (id, dry_run, status, requested_by, requested_at, started_at, fence, attempts, lease_until, next_attempt_at)
       VALUES ($1::uuid, true, 'running', 'the test', now(), now(), 1, 9, now() - interval '1 second', now() - interval '5 seconds')`,
      [id],
    );
    await waitFor('the outage to be met', async () => {
      const { status, report } = (await loadReconciliation(database.autocommit, id)) ?? assert.fail();
      assert.deepEqual([status, /503/.test(report?.error ?? '')], ['queued', true]);
      return true;
    });
    await stack.database.query(
      `UPDATE reconciliations SET next_attempt_at = now() - interval '3 seconds', swept_at = NULL WHERE id = $1::uuid`,
      [id],
    );
    assert.ok((await ended(id)).report);
  });
});
