import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isJobKind, type JobKind, JOBS, QUEUES } from './catalogue.js';

const kinds = Object.keys(JOBS).filter(isJobKind);

/** The one id that each kind of job carries. The strings are stored: an older or newer release reads them. */
const ID_OF: Readonly<Record<string, string>> = {
  'payment-operation': 'operationId',
  'refund-operation': 'operationId',
  'webhook-event': 'eventId',
  reconciliation: 'reconciliationId',
};

describe('the catalogue of jobs', () => {
  it('has the four queues of the contract, and every kind in one of them', () => {
    assert.deepEqual([...QUEUES], ['payments', 'refunds', 'webhook-events', 'maintenance']);
    for (const kind of kinds) assert.ok(QUEUES.includes(JOBS[kind].queue), kind);
  });

  it('keeps payments and webhook events apart, so that a storm in one never delays the other', () => {
    assert.equal(JOBS['payment-operation'].queue, 'payments');
    assert.equal(JOBS['webhook-event'].queue, 'webhook-events');
  });

  it('knows its own kinds and no name that merely every object has', () => {
    for (const kind of kinds) assert.ok(isJobKind(kind));
    for (const kind of ['', 'payment', 'Payment-Operation', 'toString', 'constructor', '__proto__']) assert.ok(!isJobKind(kind), kind);
  });
});

describe('the payload of a job', () => {
  for (const [kind, field] of Object.entries(ID_OF).filter(([name]) => isJobKind(name)) as [JobKind, string][]) {
    it(`is an id and nothing else: ${kind}`, () => {
      assert.deepEqual(JOBS[kind].parse({ [field]: 'id-1' }), { [field]: 'id-1' });
      assert.deepEqual(JOBS[kind].parse({ [field]: 'id-1', amount: 4_300 }), { [field]: 'id-1' });
    });

    it(`is none when the id is missing or is no text: ${kind}`, () => {
      for (const value of [
        undefined,
        null,
        'id-1',
        1,
        true,
        [],
        {},
        { id: 'id-1' },
        { [field]: 1 },
        { [field]: null },
        { [field]: ['id-1'] },
        { [field]: undefined },
      ]) {
        assert.equal(JOBS[kind].parse(value), null, JSON.stringify(value));
      }
    });
  }
});
