import { PROBLEMS } from '../http/problem-catalogue.js';
import { type Examples } from './example.js';

const UP = { status: 'up' };
const CHECKED = { database: UP, migrations: UP, accepting: UP };
const BACKLOG = {
  backlog: {
    status: 'up',
    operationSeconds: 0,
    outboxSeconds: 0,
    eventSeconds: 0,
    thresholdSeconds: { operation: 60, outbox: 30, event: 60 },
  },
};
const REFUSAL = PROBLEMS.refund_exceeds_captured;

/** What the API reference shows of what is no merchant's: Stripe's webhooks, health, metrics and the pages about all of it. */
export const SERVICE_EXAMPLES: Examples = {
  receiveWebhook: {
    paid: {
      summary: 'A payment has succeeded',
      parameters: { 'Stripe-Signature': 't=1795600800,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd' },
      body: {
        id: 'evt_3SXabcdefghijklm',
        object: 'event',
        api_version: '2026-10-28.endive',
        created: 1795600800,
        livemode: false,
        type: 'payment_intent.succeeded',
        data: { object: { id: 'pi_3SXabcdefghijklm', object: 'payment_intent', status: 'succeeded', amount: 4300, currency: 'usd' } },
      },
      answer: { received: true },
    },
  },
  isLive: { up: { answer: { status: 'ok', info: {}, error: {}, details: {} } } },
  isReady: { up: { answer: { status: 'ok', info: CHECKED, error: {}, details: { ...CHECKED, queue: UP } } } },
  readBacklog: { none: { answer: { status: 'ok', info: BACKLOG, error: {}, details: BACKLOG } } },
  readMetrics: {
    some: {
      type: 'text/plain',
      answer: [
        '# HELP oncepay_database_up 1 when the database answered this scrape; without it the gauges below are missing',
        '# TYPE oncepay_database_up gauge',
        'oncepay_database_up 1',
        'oncepay_breaker_state{breaker="stripe"} 0',
      ].join('\n'),
    },
  },
  readProblem: {
    refund: {
      type: 'text/html',
      parameters: { code: 'refund_exceeds_captured' },
      answer: ['<!doctype html>', `<h1>${REFUSAL.title}</h1>`, `<p>${REFUSAL.remedy}</p>`].join('\n'),
    },
  },
  readReference: { page: { type: 'text/html', answer: ['<!doctype html>', '<h1>Oncepay API</h1>', '<h2>Problems</h2>'].join('\n') } },
  readDescription: {
    some: { answer: { openapi: '3.1.0', info: { title: 'Oncepay', version: '1' }, servers: [], tags: [], paths: {}, components: {} } },
  },
};
