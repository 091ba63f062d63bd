import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Clock, systemClock, virtualClock } from './clock.js';

const HOUR_MS = 3_600_000;

/** How far a clock runs ahead of the wall clock, to the second. */
const aheadMs = (clock: Clock): number => Math.round((clock.now().getTime() - Date.now()) / 1_000) * 1_000;

describe('the virtual clock', () => {
  let answer: (response: ServerResponse) => void;
  let url: string;
  const server = createServer((_, response) => answer(response));
  const says =
    (body: string, status = 200) =>
    (response: ServerResponse): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    };

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/_sim/clock`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('runs with the wall clock until it was read', () => {
    assert.equal(aheadMs(virtualClock(url)), 0);
  });

  it('runs ahead by the offset that it read last', async () => {
    const clock = virtualClock(url);
    for (const offsetMs of [24 * HOUR_MS, 0, 72 * HOUR_MS]) {
      answer = says(JSON.stringify({ offsetMs }));
      await clock.refresh();
      assert.equal(aheadMs(clock), offsetMs);
    }
  });

  it('keeps what it read last when the answer is none, late, or missing', async () => {
    const clock = virtualClock(url);
    answer = says(JSON.stringify({ offsetMs: HOUR_MS }));
    await clock.refresh();
    const oddities: readonly ((response: ServerResponse) => void)[] = [
      says('{"offsetMs":"7"}'),
      says('{"offsetMs":null}'),
      says('{}'),
      says('null'),
      says('<html></html>', 502),
      says(''),
      (response) => response.destroy(),
      () => undefined,
    ];
    for (const oddity of oddities) {
      answer = oddity;
      await clock.refresh();
      assert.equal(aheadMs(clock), HOUR_MS);
    }
  });

  it('keeps what it read last when nobody listens any more', async () => {
    const gone = createServer((_, response) => says(JSON.stringify({ offsetMs: HOUR_MS }))(response));
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const clock = virtualClock(`http://127.0.0.1:${(gone.address() as AddressInfo).port}`);
    await clock.refresh();
    gone.closeAllConnections();
    await new Promise((resolve) => gone.close(resolve));
    await clock.refresh();
    assert.equal(aheadMs(clock), HOUR_MS);
  });
});

describe('the system clock', () => {
  it('is the wall clock, and has nothing to read', async () => {
    await systemClock.refresh();
    assert.equal(aheadMs(systemClock), 0);
  });
});
