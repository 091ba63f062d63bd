import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DomainError, type ErrorCode } from '#libs/primitives';
import { type SignedEvent, verifyWebhook } from './stripe-webhooks.js';

const SECRET = 'whsec_spec_current';
const OTHER = 'whsec_spec_previous';
const NOW = new Date('2026-11-23T12:00:00.000Z');
const NOW_SECONDS = NOW.getTime() / 1_000;

const EVENT = {
  id: 'evt_1Spec',
  object: 'event',
  api_version: '2026-10-28.endive',
  livemode: false,
  type: 'payment_intent.succeeded',
  data: { object: { id: 'pi_1', object: 'payment_intent', amount: 4300, description: 'Ünïcödé 🛒' } },
};

/** Computed by hand from Stripe's documentation, not by the SDK that verifies. */
function hmac(body: Buffer | string, secret: string, t: number | string): string {
  return createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');
}

function header(body: Buffer | string, { secret = SECRET, t = NOW_SECONDS }: { secret?: string; t?: number } = {}): string {
  return `t=${t},v1=${hmac(body, secret, t)}`;
}

function verify(
  body: Buffer | string,
  signature: string | undefined = header(body),
  secrets: readonly string[] = [SECRET],
  now = NOW,
): SignedEvent {
  return verifyWebhook(Buffer.from(body), signature, secrets, now);
}

function refusal(run: () => unknown): { code: ErrorCode; detail: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  return assert.fail('the webhook was taken');
}

const refuses = (run: () => unknown, code: ErrorCode, detail: RegExp): void => {
  const refused = refusal(run);
  assert.equal(refused.code, code, refused.detail);
  assert.match(refused.detail, detail);
};

const BODY = JSON.stringify(EVENT);

describe('a webhook that Stripe signed', () => {
  it('is taken with what it names', () => {
    assert.deepEqual(verify(BODY), {
      id: 'evt_1Spec',
      type: 'payment_intent.succeeded',
      livemode: false,
      apiVersion: '2026-10-28.endive',
      objectId: 'pi_1',
      paymentIntentId: 'pi_1',
      payload: BODY,
    });
  });

  it('names the intent that another object belongs to, and none where there is none', () => {
    const about = (object: object): SignedEvent =>
      verify(JSON.stringify({ ...EVENT, livemode: true, api_version: null, data: { object } }));
    const { objectId, paymentIntentId, livemode, apiVersion } = about({ id: 're_1', object: 'refund', payment_intent: 'pi_9' });
    assert.deepEqual([objectId, paymentIntentId, livemode, apiVersion], ['re_1', 'pi_9', true, null]);
    assert.equal(about({ id: 'cus_1', object: 'customer' }).paymentIntentId, null);
    assert.equal(about({ id: 're_1', object: 'refund', payment_intent: { id: 'pi_9' } }).paymentIntentId, null);
    assert.equal(about({ object: 'balance' }).objectId, null);
  });

  it('is taken whatever its spacing, its line ends and its scripts, byte for byte', () => {
    const oddities = [
      JSON.stringify(EVENT, null, 2),
      `\n\t ${BODY.replaceAll(',', ' ,\r\n')} \r\n`,
      JSON.stringify({ ...EVENT, note: 'זמן 𝒳 e\u0301 \u202e\u200b' }),
      BODY.replace('Ü', '\\u00dc').replace('🛒', '\\ud83d\\uded2'),
    ];
    for (const body of oddities) assert.equal(verify(body).payload, body);
  });

  it('is taken at a megabyte', () => {
    const body = JSON.stringify({ ...EVENT, padding: '€'.repeat(350_000) });
    assert.equal(verify(body).payload.length, body.length);
  });

  it('is taken when any of many v1 signatures is right, as during a rotation at Stripe', () => {
    const wrong = Array.from({ length: 50 }, (_, index) => `v1=${hmac(BODY, `whsec_${index}`, NOW_SECONDS)}`);
    assert.equal(verify(BODY, `t=${NOW_SECONDS},${[...wrong, `v1=${hmac(BODY, SECRET, NOW_SECONDS)}`, ...wrong].join(',')}`).id, EVENT.id);
    refuses(() => verify(BODY, `t=${NOW_SECONDS},${wrong.join(',')}`), 'webhook_signature_invalid', /No v1 signature/);
  });

  it('is taken under each of two secrets, as during a rotation on our side', () => {
    for (const secret of [SECRET, OTHER]) assert.equal(verify(BODY, header(BODY, { secret }), [SECRET, OTHER]).id, EVENT.id);
  });

  it('is taken up to 300 s old and up to 300 s ahead, by the given clock', () => {
    for (const t of [NOW_SECONDS - 300, NOW_SECONDS, NOW_SECONDS + 300]) assert.equal(verify(BODY, header(BODY, { t })).id, EVENT.id);
  });

  it('may hold the text of an escape, which is no control character', () => {
    const body = JSON.stringify({ ...EVENT, note: 'C:\\u0000 and \\ud800' });
    assert.ok(body.includes('\\u0000'));
    assert.equal(verify(body).payload, body);
  });
});

describe('a webhook that Stripe did not sign', () => {
  it('is refused without a header, saying so', () => {
    refuses(() => verifyWebhook(Buffer.from(BODY), undefined, [SECRET], NOW), 'webhook_signature_invalid', /header is missing/);
    refuses(() => verify(BODY, ''), 'webhook_signature_invalid', /header is missing/);
  });

  it('is refused after any flip of one bit of its body', () => {
    const body = Buffer.from(BODY);
    const signature = header(body);
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const flipped = Buffer.from(body);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(refusal(() => verify(flipped, signature)).code, 'webhook_signature_invalid', `bit ${bit}`);
    }
  });

  it('is refused after any change of one character of its signature', () => {
    const right = hmac(BODY, SECRET, NOW_SECONDS);
    for (let index = 0; index < right.length; index += 1) {
      const wrong = right.slice(0, index) + (right[index] === '0' ? '1' : '0') + right.slice(index + 1);
      assert.equal(refusal(() => verify(BODY, `t=${NOW_SECONDS},v1=${wrong}`)).code, 'webhook_signature_invalid');
    }
  });

  it('is refused when its JSON was parsed and written again', () => {
    const pretty = JSON.stringify(EVENT, null, 1);
    refuses(() => verify(BODY, header(pretty)), 'webhook_signature_invalid', /no proxy rewrites the body/);
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(EVENT).reverse()));
    refuses(() => verify(reordered, header(BODY)), 'webhook_signature_invalid', /No v1 signature/);
  });

  it('is refused when its amount was changed after signing', () => {
    refuses(() => verify(BODY.replace('4300', '4301'), header(BODY)), 'webhook_signature_invalid', /No v1 signature/);
  });

  it('is refused under the secret of another endpoint, under none, and under an empty one', () => {
    const signature = header(BODY, { secret: OTHER });
    for (const secrets of [[SECRET], [], ['']])
      refuses(() => verify(BODY, signature, secrets), 'webhook_signature_invalid', /No v1 signature/);
    refuses(() => verify(BODY, header(BODY, { secret: '' }), ['']), 'webhook_signature_invalid', /No v1 signature/);
  });

  it('is refused when older than 300 s, saying how old', () => {
    refuses(() => verify(BODY, header(BODY, { t: NOW_SECONDS - 301 })), 'webhook_signature_invalid', /301 s in the past/);
    refuses(() => verify(BODY, header(BODY, { t: 0 })), 'webhook_signature_invalid', /in the past/);
  });

  it('is refused when more than 300 s ahead, saying how far', () => {
    refuses(() => verify(BODY, header(BODY, { t: NOW_SECONDS + 301 })), 'webhook_signature_invalid', /301 s in the future/);
    refuses(() => verify(BODY, header(BODY, { t: NOW_SECONDS + 3_600 })), 'webhook_signature_invalid', /in the future/);
  });

  it('is refused with a timestamp other than the signed one', () => {
    refuses(
      () => verify(BODY, `t=${NOW_SECONDS + 1},v1=${hmac(BODY, SECRET, NOW_SECONDS)}`),
      'webhook_signature_invalid',
      /No v1 signature/,
    );
  });

  it('is refused with two timestamps, of which one could be checked and the other signed', () => {
    for (const signed of [NOW_SECONDS + 3_600, NOW_SECONDS - 3_600]) {
      const signature = `v1=${hmac(BODY, SECRET, signed)}`;
      refuses(() => verify(BODY, `t=${NOW_SECONDS},t=${signed},${signature}`), 'webhook_signature_invalid', /timestamp/);
      refuses(() => verify(BODY, `t=${signed},t=${NOW_SECONDS},${signature}`), 'webhook_signature_invalid', /timestamp/);
    }
  });

  it('is refused without a timestamp, saying so', () => {
    const v1 = `v1=${hmac(BODY, SECRET, NOW_SECONDS)}`;
    for (const signature of [
      v1,
      `t=,${v1}`,
      `t=now,${v1}`,
      `t=-5,${v1}`,
      `t=1e9,${v1}`,
      `T=${NOW_SECONDS},${v1}`,
      `xt=${NOW_SECONDS},${v1}`,
      'nonsense',
      ',',
      '=',
    ]) {
      refuses(() => verify(BODY, signature), 'webhook_signature_invalid', /timestamp/);
    }
  });

  it('is refused with a signature of another scheme only', () => {
    const right = hmac(BODY, SECRET, NOW_SECONDS);
    for (const scheme of ['v0', 'v2', 'V1', 'v1a'])
      refuses(() => verify(BODY, `t=${NOW_SECONDS},${scheme}=${right}`), 'webhook_signature_invalid', /No v1 signature/);
    for (const empty of ['', ',v1', ',v1='])
      refuses(() => verify(BODY, `t=${NOW_SECONDS}${empty}`), 'webhook_signature_invalid', /No v1 signature/);
  });

  it('is refused whatever its header says, and never with another error', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('t=', 'v1=', ',', `t=${NOW_SECONDS}`, 'v0=', '='));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.uint8Array({ maxLength: 64 }), (parts, bytes) => {
        assert.equal(refusal(() => verify(Buffer.from(bytes), parts.join(','))).code, 'webhook_signature_invalid');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a signed body that is no event', () => {
  const payloadRefused = (body: Buffer | string, detail: RegExp): void => refuses(() => verify(body), 'webhook_payload_invalid', detail);

  it('is refused when it is no JSON object', () => {
    for (const body of ['null', '[]', '"evt_1"', '42', '{', `${BODY}${BODY}`, '<html></html>', '', ' '])
      payloadRefused(body, /no JSON object/);
  });

  it('is refused when it is a thin event, saying what to subscribe to', () => {
    payloadRefused(
      JSON.stringify({ id: 'evt_1', object: 'v2.core.event', type: 'v1.payment_intent.succeeded', related_object: { id: 'pi_1' } }),
      /snapshot events/,
    );
  });

  it('is refused when id, type or object is missing or odd', () => {
    const odd: readonly object[] = [
      { id: undefined },
      { id: 'pi_1' },
      { id: 'evt_' },
      { id: "evt_1'; DROP TABLE" },
      { id: `evt_${'x'.repeat(251)}` },
      { type: undefined },
      { type: 7 },
      { object: 'payment_intent' },
      { data: undefined },
      { data: { object: null } },
      { data: { object: [] } },
      { data: [] },
    ];
    for (const part of odd) payloadRefused(JSON.stringify({ ...EVENT, ...part }), /no snapshot event/);
  });

  it('is refused when it holds what PostgreSQL cannot store: NUL or half a surrogate pair', () => {
    for (const bad of ['\u0000', 'a\u0000b', '\\\u0000', '\ud800', '\udc00x', '\ud83d \uded2']) {
      payloadRefused(JSON.stringify({ ...EVENT, note: bad }), /cannot be stored/);
      payloadRefused(JSON.stringify({ ...EVENT, [bad]: 1 }), /cannot be stored/);
    }
  });
});
