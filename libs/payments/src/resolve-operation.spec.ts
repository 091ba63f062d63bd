import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPayment } from '../../../test/support/a-payment.js';
import { type PaymentIntentObservation } from './observation.js';
import { readOutcome } from './resolve-operation.js';

const PAYMENT = aPayment({ status: 'requires_payment_method', stripePaymentIntentId: 'pi_1', stripeChargeId: 'ch_before' });

type Status = PaymentIntentObservation['status'];

function seen(status: Status, more: Partial<PaymentIntentObservation> = {}): PaymentIntentObservation {
  return {
    id: 'pi_1',
    status,
    amount: 4_300,
    currency: 'usd',
    amountReceived: 0,
    clientSecret: null,
    chargeId: 'ch_before',
    paymentMethod: null,
    nextAction: null,
    lastError: null,
    cancellationReason: null,
    instance: 'shop',
    operationId: 'op_1',
    ...more,
  };
}

describe('what a read tells of an operation whose answer is lost', () => {
  /** A word for each status: what became of a confirm, a capture, a cancel. */
  const rows: Readonly<Record<Status, readonly [confirm: string, capture: string, cancel: string]>> = {
    requires_payment_method: ['nothing', 'rejected', 'nothing'],
    requires_confirmation: ['nothing', 'rejected', 'nothing'],
    requires_action: ['done', 'rejected', 'nothing'],
    processing: ['done', 'rejected', 'rejected'],
    requires_capture: ['done', 'nothing', 'nothing'],
    succeeded: ['done', 'done', 'rejected'],
    canceled: ['done', 'rejected', 'done'],
  };
  for (const [status, [confirm, capture, cancel]] of Object.entries(rows) as [Status, (typeof rows)[Status]][]) {
    it(`${status}: a confirm ${confirm}, a capture ${capture}, a cancel ${cancel}`, () => {
      const happened = (['confirm', 'capture', 'cancel'] as const).map((kind) => readOutcome(kind, seen(status), PAYMENT).happened);
      assert.deepEqual(happened, [confirm, capture, cancel]);
    });
  }

  it('is a decline when a confirm left an error and a charge that was not there before it', () => {
    const lastError = { code: 'card_declined', declineCode: null, message: 'no' };
    const after = seen('requires_payment_method', { lastError, chargeId: 'ch_after' });
    assert.deepEqual(readOutcome('confirm', after, PAYMENT), { happened: 'declined', fact: { of: 'intent', seen: after } });
    assert.equal(readOutcome('confirm', after, { ...PAYMENT, stripeChargeId: null }).happened, 'declined');
  });

  it('is nothing when the error on the intent is that of an earlier confirm', () => {
    const lastError = { code: 'card_declined', declineCode: null, message: 'no' };
    assert.equal(readOutcome('confirm', seen('requires_payment_method', { lastError }), PAYMENT).happened, 'nothing');
    assert.equal(readOutcome('confirm', seen('requires_payment_method', { chargeId: 'ch_after' }), PAYMENT).happened, 'nothing');
  });
});
