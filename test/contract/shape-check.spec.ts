import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { declaredSchemas } from './declared-schemas.js';
import { ShapeCheck } from './shape-check.js';

// The contract tests are worth what their measure is worth: here it is held to hand-written right and wrong objects.

let shapes: ShapeCheck;
const folder = mkdtempSync(join(tmpdir(), 'oncepay-shapes-'));

before(async () => {
  shapes = await ShapeCheck.load();
});

after(() => rmSync(folder, { recursive: true }));

describe('an answer', () => {
  it('passes when it is what Stripe declares', () => {
    assert.deepEqual(intentProblems({}), []);
    assert.deepEqual(intentProblems({ canceled_at: 1, metadata: { any: 'text' }, payment_method_types: ['card', 'link'] }), []);
  });

  it('fails with a field that Stripe does not declare', () => {
    assert.deepEqual(intentProblems({ colour: 'red' }), ['colour: Stripe declares no such field']);
    assert.deepEqual(intentProblems({ amount_details: { tips: {} } }), ['amount_details.tips: Stripe declares no such field']);
  });

  it('fails without a field that may be null but not be left out', () => {
    const { payment_record: _, ...intent } = anIntent;
    assert.deepEqual(shapes.problems('Answers', 'POST /v1/payment_intents', intent), ['payment_record: is missing']);
  });

  it('fails with a word outside its enum, although the client declares its enums open', () => {
    assert.deepEqual(intentProblems({ status: 'paid' }), ['status: is no word that Stripe declares, found "paid"']);
    assert.deepEqual(intentProblems({ allowed_payment_method_types: ['card', 'cash'] }), [
      'allowed_payment_method_types[]: is no word that Stripe declares, found "cash"',
    ]);
    assert.deepEqual(intentProblems({ setup_future_usage: 'always' }), [
      'setup_future_usage: is no word that Stripe declares, found "always"',
    ]);
  });

  it('fails with null where Stripe declares none, and with another type', () => {
    assert.deepEqual(intentProblems({ amount: null }), ['amount: must be number, found null']);
    assert.deepEqual(intentProblems({ livemode: 'false' }), ['livemode: must be boolean, found "false"']);
    assert.deepEqual(intentProblems({ metadata: { nested: {} } }), ['metadata.nested: must be string, found {}']);
  });

  it('may hold an id or the expanded object, but no object of another kind', () => {
    assert.deepEqual(intentProblems({ payment_method: 'pm_1' }), []);
    assert.deepEqual(intentProblems({ payment_method: aPaymentMethod }), []);
    assert.deepEqual(intentProblems({ payment_method: { ...aPaymentMethod, object: 'card' } }), [
      'payment_method.object: is no word that Stripe declares, found "card"',
    ]);
    assert.deepEqual(intentProblems({ payment_method: 1 }), ['payment_method: must be null,string, found 1']);
  });

  it('may hold a deleted object in place of a living one, but nothing in between', () => {
    assert.deepEqual(intentProblems({ customer: { id: 'cus_1', object: 'customer', deleted: true } }), []);
    assert.notDeepEqual(intentProblems({ customer: { id: 'cus_1', object: 'customer', deleted: false } }), []);
    assert.notDeepEqual(intentProblems({ customer: { id: 'cus_1', object: 'customer' } }), []);
  });

  it('is refused by the route that answers something else', () => {
    assert.notDeepEqual(shapes.problems('Answers', 'POST /v1/refunds', anIntent), []);
    assert.deepEqual(
      shapes.problems('Answers', 'GET /v1/payment_intents', { object: 'list', data: [anIntent, anIntent], has_more: false, url: '/' }),
      [],
    );
    assert.deepEqual(
      shapes.problems('Answers', 'GET /v1/payment_intents', {
        object: 'list',
        data: [
          { ...anIntent, id: 1 },
          { ...anIntent, id: 2 },
        ],
        has_more: false,
        url: '/',
      }),
      ['data[].id: must be string, found 1', 'data[].id: must be string, found 2'],
    );
  });
});

describe('an event', () => {
  const event = {
    id: 'evt_1',
    object: 'event',
    api_version: '2026-10-28.endive',
    created: 1,
    livemode: false,
    pending_webhooks: 0,
    request: null,
  };

  it('carries the object of its type', () => {
    assert.deepEqual(
      shapes.problems('Events', 'payment_intent.succeeded', { ...event, type: 'payment_intent.succeeded', data: { object: anIntent } }),
      [],
    );
    assert.notDeepEqual(
      shapes.problems('Events', 'charge.succeeded', { ...event, type: 'charge.succeeded', data: { object: anIntent } }),
      [],
    );
  });

  it('has only a type that Stripe declares', () => {
    assert.ok(shapes.declares('Events', 'refund.failed'));
    assert.ok(!shapes.declares('Events', 'refund.lost'));
  });
});

describe('a form', () => {
  it('has numbers and booleans for strings that say so', () => {
    const form = { amount: '100', currency: 'usd', automatic_payment_methods: { enabled: 'true' }, metadata: { number: '1' } };
    assert.deepEqual(shapes.formProblems('POST /v1/payment_intents', form), []);
    assert.deepEqual(form, { amount: 100, currency: 'usd', automatic_payment_methods: { enabled: true }, metadata: { number: '1' } });
  });

  it('fails with what is no number and with what Stripe does not know', () => {
    const form = { amount: 'much', currency: 'usd', payment_method_types: ['card'] };
    assert.deepEqual(shapes.formProblems('POST /v1/payment_intents', form), [
      'payment_method_types: Stripe declares no such field',
      'amount: must be number, found "much"',
    ]);
  });
});

describe('the reading of types', () => {
  it('stops where a type cannot be resolved, instead of letting everything pass', () => {
    assert.throws(() => declaredSchemas(fileWith('export interface Answers { a: Missing }')), /Cannot find name 'Missing'/);
    assert.throws(
      () => declaredSchemas(fileWith("import type { Gone } from 'gone'; export interface Answers { a: Gone }")),
      /Cannot find module 'gone'/,
    );
  });

  it('stops at what JSON cannot hold', () => {
    assert.throws(() => declaredSchemas(fileWith('export interface Answers { a: () => void }')), /JSON has nothing like \(\) => void/);
  });
});

function fileWith(text: string): string {
  const file = join(folder, 'types.ts');
  writeFileSync(file, text);
  return file;
}

function intentProblems(change: object): string[] {
  return shapes.problems('Answers', 'POST /v1/payment_intents', { ...anIntent, ...change });
}

const aPaymentMethod = {
  id: 'pm_1',
  object: 'payment_method',
  allow_redisplay: 'unspecified',
  billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
  created: 1,
  customer: null,
  customer_account: null,
  livemode: false,
  metadata: {},
  type: 'link',
  link: { email: null },
};

const anIntent = {
  id: 'pi_1',
  object: 'payment_intent',
  allowed_payment_method_types: null,
  amount: 100,
  amount_capturable: 0,
  amount_details: { tip: {} },
  amount_received: 0,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  canceled_at: null,
  cancellation_reason: null,
  capture_method: 'automatic',
  client_secret: 'pi_1_secret_1',
  confirmation_method: 'automatic',
  created: 1,
  currency: 'usd',
  customer: null,
  customer_account: null,
  description: null,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: 'ch_1',
  livemode: false,
  managed_payments: null,
  metadata: {},
  next_action: null,
  on_behalf_of: null,
  payment_method: null,
  payment_method_configuration_details: null,
  payment_method_options: null,
  payment_method_types: ['card'],
  payment_record: null,
  processing: null,
  receipt_email: null,
  review: null,
  setup_future_usage: null,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: 'succeeded',
  transfer_group: null,
};
