import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '../../../test/support/wait-for.js';
import { Loop } from './loop.js';

/** Longer than any test takes: a turn that follows was not waited for. */
const NEVER_MS = 600_000;
const TIMEOUT = { timeout: 10_000 };

/** A turn that waits until the test lets it go on, so that the test sees every one begin and decides how it ends. */
class Turns {
  readonly #begun: ((end: (outcome: boolean | Error) => void) => void)[] = [];
  readonly #waiting: ((outcome: boolean | Error) => void)[] = [];
  count = 0;

  readonly turn = (): Promise<boolean> =>
    new Promise<boolean>((resolve, reject) => {
      this.count += 1;
      const end = (outcome: boolean | Error): void => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      const observer = this.#begun.shift();
      if (observer) observer(end);
      else this.#waiting.push(end);
    });

  /** The next turn, once it has begun: what ends it. */
  next(): Promise<(outcome: boolean | Error) => void> {
    const waiting = this.#waiting.shift();
    return waiting ? Promise.resolve(waiting) : new Promise((resolve) => this.#begun.push(resolve));
  }
}

/** Lets everything run that needs no timer. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start(restMs: number): { turns: Turns; loop: Loop; errors: unknown[] } {
  const turns = new Turns();
  const errors: unknown[] = [];
  return { turns, errors, loop: new Loop(restMs, turns.turn, (error) => errors.push(error)) };
}

describe('a loop', () => {
  it('takes the first turn at once, and the next while there is more', TIMEOUT, async () => {
    const { turns, loop } = start(NEVER_MS);
    for (let count = 1; count <= 3; count += 1) {
      const end = await turns.next();
      assert.equal(turns.count, count);
      end(count < 3);
    }
    await settle();
    assert.equal(turns.count, 3);
    await loop.stop();
  });

  it('rests when there is no more, then takes a turn by itself', TIMEOUT, async () => {
    const { turns, loop } = start(20);
    const startedAt = performance.now();
    (await turns.next())(false);
    const end = await turns.next();
    assert.ok(performance.now() - startedAt >= 19);
    end(false);
    await loop.stop();
  });

  it('takes a turn at once when woken at rest', TIMEOUT, async () => {
    const { turns, loop } = start(NEVER_MS);
    (await turns.next())(false);
    await settle();
    assert.equal(turns.count, 1);
    loop.wake();
    (await turns.next())(false);
    await settle();
    assert.equal(turns.count, 2);
    await loop.stop();
  });

  it('takes another turn at once when woken during one, as that one may have looked too early', TIMEOUT, async () => {
    const { turns, loop } = start(NEVER_MS);
    const end = await turns.next();
    loop.wake();
    loop.wake();
    end(false);
    (await turns.next())(false);
    await settle();
    assert.equal(turns.count, 2, 'one more turn answers any number of calls');
    await loop.stop();
  });

  it('never takes two turns at once', TIMEOUT, async () => {
    const { turns, loop } = start(0);
    const end = await turns.next();
    for (let call = 0; call < 10; call += 1) loop.wake();
    await settle();
    assert.equal(turns.count, 1);
    const stopped = loop.stop();
    end(true);
    await stopped;
  });

  it('reports a turn that failed and tries again after the rest', TIMEOUT, async () => {
    const { turns, loop, errors } = start(20);
    const lost = new Error('the connection was lost');
    (await turns.next())(lost);
    const end = await turns.next();
    assert.deepEqual(errors, [lost]);
    end(false);
    await loop.stop();
  });

  it('does not rest after a failure that it was woken in, nor fail for ever without rest', TIMEOUT, async () => {
    const { turns, loop, errors } = start(NEVER_MS);
    const end = await turns.next();
    loop.wake();
    end(new Error('first'));
    (await turns.next())(new Error('second'));
    await settle();
    assert.deepEqual([turns.count, errors.length], [2, 2]);
    await loop.stop();
  });

  it('stops at once at rest, and takes no turn any more', TIMEOUT, async () => {
    const { turns, loop } = start(NEVER_MS);
    (await turns.next())(false);
    await settle();
    await loop.stop();
    loop.wake();
    await settle();
    assert.equal(turns.count, 1);
  });

  it('lets the turn under way finish when it is stopped, and closes what belongs to it after that', TIMEOUT, async () => {
    const { turns, loop } = start(NEVER_MS);
    const order: string[] = [];
    loop.onStop(async () => void order.push('closed'));
    loop.onStop(async () => void order.push('closed too'));
    const end = await turns.next();
    const stopped = loop.stop().then(() => order.push('stopped'));
    await settle();
    assert.deepEqual(order, []);
    end(true);
    await stopped;
    assert.deepEqual(order, ['closed', 'closed too', 'stopped']);
    assert.equal(turns.count, 1);
  });

  it('stops when the turn under way fails', TIMEOUT, async () => {
    const { turns, loop, errors } = start(NEVER_MS);
    const end = await turns.next();
    const stopped = loop.stop();
    end(new Error('cut'));
    await stopped;
    assert.equal(errors.length, 1);
  });

  it('is turning while turns end, by failing too, and when it was stopped', TIMEOUT, async () => {
    const { turns, loop } = start(1);
    const first = await turns.next();
    assert.ok(loop.isTurning(NEVER_MS));
    await waitFor('the turn to take long', () => !loop.isTurning(200));
    const endedAt = performance.now();
    first(new Error('on purpose'));
    const second = await turns.next();
    assert.ok(loop.isTurning(performance.now() - endedAt + 100));
    const stopped = loop.stop();
    assert.ok(loop.isTurning(0));
    second(false);
    await stopped;
  });
});
