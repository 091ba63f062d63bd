import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutSecrets } from './without-secrets.js';

describe('a payload of Stripe as operators see it', () => {
  it('lacks client secrets wherever they stand, and keeps the rest', () => {
    const intent = { id: 'pi_1', client_secret: 'pi_1_secret_abc', amount: 2_000, livemode: false, description: null };
    const session = { id: 'cs_1', payment_intent: intent, list: [intent, 'text', 1] };
    const { client_secret: _, ...rest } = intent;
    assert.deepEqual(withoutSecrets({ data: { object: session } }), {
      data: { object: { id: 'cs_1', payment_intent: rest, list: [rest, 'text', 1] } },
    });
  });

  it('lacks those inside the address of a 3-D Secure page, and keys', () => {
    const url = 'https://hooks.stripe.com/redirect?payment_intent_client_secret=pi_1_secret_abc&x=1';
    assert.equal(withoutSecrets(url), 'https://hooks.stripe.com/redirect?payment_intent_client_secret=pi_1_secret_[redacted]&x=1');
    assert.equal(withoutSecrets('of sk_live_abc'), 'of [redacted]');
    assert.deepEqual(withoutSecrets({ secret: 'whsec_1', key: 'whsec_2' }), { key: '[redacted]' });
  });
});
