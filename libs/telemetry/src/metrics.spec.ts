import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { observeHttpRequest, renderMetrics, type VitalSigns } from './metrics.js';

const SIGNS: VitalSigns = {
  ordersByState: { pending: 2 },
  eventsByStatus: { held: 1 },
  breakers: { stripe: 2 },
  oldestOperationSeconds: 7.5,
  overdueOperationSeconds: 1,
  outboxSeconds: 0,
  inboxSeconds: 3,
  oldestEventSeconds: 9,
  parkedOperations: 4,
  openDiscrepancies: 5,
};

describe('the metrics', () => {
  it('hold what the database told at this scrape, and nothing of the one before', async () => {
    const { text, contentType } = await renderMetrics(async () => SIGNS);
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'oncepay_database_up 1',
      'oncepay_orders_open{state="pending"} 2',
      'oncepay_webhook_events{status="held"} 1',
      'oncepay_breaker_state{breaker="stripe"} 2',
      'oncepay_oldest_seconds{what="operation"} 7.5',
      'oncepay_oldest_seconds{what="open_event"} 9',
      'oncepay_operations_parked 4',
      'oncepay_discrepancies_open 5',
    ])
      assert.ok(text.split('\n').includes(line), line);
    const later = await renderMetrics(async () => ({ ...SIGNS, ordersByState: { paid: 1 }, breakers: {} }));
    assert.doesNotMatch(later.text, /oncepay_orders_open\{state="pending"|oncepay_breaker_state\{breaker="stripe"/);
  });

  it('leave out what the database did not tell, and say that it did not', async () => {
    await renderMetrics(async () => SIGNS);
    const { text } = await renderMetrics(() => Promise.reject(new Error('on purpose')));
    assert.ok(text.split('\n').includes('oncepay_database_up 0'));
    assert.doesNotMatch(
      text,
      /^oncepay_(orders_open|webhook_events|breaker_state|oldest_seconds|operations_parked|discrepancies_open)[ {]/m,
    );
    assert.match(text, /^process_cpu_seconds_total /m);
  });

  it('measure times in seconds', async () => {
    observeHttpRequest({ method: 'GET', route: '/measured/by/this/test', status: 200, seconds: 0.02 });
    const { text } = await renderMetrics(async () => SIGNS);
    assert.match(
      text,
      /oncepay_http_request_duration_seconds_bucket\{le="0.025",method="GET",route="\/measured\/by\/this\/test",status="200"\} 1/,
    );
    for (const [, name] of text.matchAll(/^# TYPE (\S+) histogram$/gm)) assert.match(name ?? '', /_seconds$/);
  });
});
