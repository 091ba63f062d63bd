import { type Examples } from './example.js';

const ORDER_ID = 'ord_01kax3k6wbf3e9tmgb0jv3c2q4';
const EVENT_ID = 'evt_3SXabcdefghijklm';
const OPERATION_ID = 'op_01kax3k6wbf3e9tmgb0jv3c2q6';
const JOB_ID = '019aba39-9b8b-7c6c-9d28-0b0cb7b618a7';
const RECONCILIATION_ID = 'rec_01kax3k6wbf3e9tmgb0jv3c2q9';
const AT = '2026-11-25T10:00:01.000Z';

const EVENT = {
  id: EVENT_ID,
  object: 'webhook_event',
  type: 'payment_intent.succeeded',
  status: 'applied',
  livemode: false,
  apiVersion: '2026-10-28.endive',
  stripeObjectId: 'pi_3SXabcdefghijklm',
  order: ORDER_ID,
  attempts: 1,
  note: null,
  isReplayable: true,
  receivedAt: AT,
  processedAt: AT,
};

const SENT_EVENT = { ...EVENT, payload: { id: EVENT_ID, object: 'event', type: EVENT.type } };

const OPERATION = {
  id: OPERATION_ID,
  object: 'operation',
  order: ORDER_ID,
  refund: null,
  kind: 'confirm',
  orderedBy: 'create',
  status: 'parked',
  inDoubt: true,
  generation: 1,
  attempts: 9,
  lastError: { code: 'outcome_unknown', declineCode: null, message: 'Stripe gave no answer for 72 hours' },
  requestId: 'req_abcdefghijklmnop',
  firstSentAt: AT,
  nextAttemptAt: AT,
  retriedAt: null,
  createdAt: AT,
};

const JOB = {
  id: JOB_ID,
  object: 'job',
  state: 'failed',
  queue: 'payments',
  kind: 'payment-operation',
  payload: {},
  reason: 'a job of kind "payment-operation" carries what is no payload of it',
  attempts: 1,
  failedAt: AT,
  replacedBy: null,
};

const RECONCILIATION = {
  id: RECONCILIATION_ID,
  object: 'reconciliation',
  dryRun: true,
  status: 'queued',
  requestedBy: 'key_abcdefgh',
  requestedAt: AT,
  startedAt: null,
  finishedAt: null,
  report: null,
};

const BREAKER = {
  id: 'stripe',
  object: 'breaker',
  state: 'closed',
  cause: null,
  failures: 0,
  openedAt: null,
  openUntil: null,
  lastError: null,
};

const AUDITED = {
  id: 'aud_01kax3k6wbf3e9tmgb0jv3c2qa',
  object: 'audit_entry',
  keyId: 'key_abcdefgh',
  action: 'reconciliation.request',
  target: null,
  details: { dryRun: true },
  requestId: 'req_abcdefghijklmnop',
  at: AT,
};

const page = (...data: readonly object[]): object => ({ object: 'list', data, hasMore: false, nextCursor: null });

/** What the API reference shows of the operations for operators. */
export const OPS_EXAMPLES: Examples = {
  listWebhookEvents: { applied: { parameters: { type: EVENT.type, status: 'applied', limit: '10' }, answer: page(EVENT) } },
  getWebhookEvent: { applied: { parameters: { id: EVENT_ID }, answer: SENT_EVENT } },
  replayWebhookEvents: {
    hour: {
      summary: 'Those of one type, received within an hour',
      body: { type: 'payment_intent.succeeded', from: '2026-01-31T08:00:00Z', to: '2026-01-31T09:00:00Z' },
      answer: { object: 'webhook_event_replay', type: 'payment_intent.succeeded', replayed: 0, continueFrom: null },
    },
  },
  replayWebhookEvent: { one: { parameters: { id: EVENT_ID }, answer: { ...SENT_EVENT, status: 'received', processedAt: null } } },
  listOperations: { parked: { parameters: { status: 'parked', limit: '10' }, answer: page(OPERATION) } },
  retryOperation: { parked: { parameters: { id: OPERATION_ID }, answer: { ...OPERATION, status: 'unknown', retriedAt: AT } } },
  listFailedJobs: { failed: { parameters: { state: 'failed', limit: '10' }, answer: page(JOB) } },
  retryJob: { failed: { parameters: { id: JOB_ID }, answer: { ...JOB, replacedBy: '019aba3a-9b8b-7c6c-9d28-0b0cb7b618a8' } } },
  requestReconciliation: { dryRun: { body: { dryRun: true }, answer: RECONCILIATION } },
  getReconciliation: { queued: { parameters: { id: RECONCILIATION_ID }, answer: RECONCILIATION } },
  listBreakers: { closed: { answer: page(BREAKER) } },
  listAudit: { latest: { parameters: { limit: '10' }, answer: page(AUDITED) } },
};
