import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from './turns.js';

const NEVER_MS = 600_000;

/** Work that ends when told to. */
function held(): { readonly work: () => Promise<string>; readonly end: (value: string) => void; hasBegun: boolean } {
  let end: (value: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const self = {
    hasBegun: false,
    work: () => {
      self.hasBegun = true;
      return ended;
    },
    end: (value: string) => end(value),
  };
  return self;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('come one after another for one name, in order, and at once for another', async () => {
    const turns = new Turns(NEVER_MS);
    const [first, second, other] = [held(), held(), held()];
    const results = Promise.all([turns.take('a', first.work), turns.take('a', second.work), turns.take('b', other.work)]);
    await settle();
    assert.deepEqual([first.hasBegun, second.hasBegun, other.hasBegun], [true, false, true]);
    first.end('first');
    await settle();
    assert.equal(second.hasBegun, true);
    second.end('second');
    other.end('other');
    assert.deepEqual(await results, ['first', 'second', 'other']);
  });

  it('go on after one that failed', async () => {
    const turns = new Turns(NEVER_MS);
    const failed = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', () => Promise.resolve('next'));
    await assert.rejects(failed, /no/);
    assert.equal(await next, 'next');
  });

  it('are not taken by who waited too long, while the first goes on and keeps out those who follow', async () => {
    const turns = new Turns(10);
    // Whoever waits keeps no process alive.
    const alive = setInterval(() => undefined, 1_000);
    const [first, second, third] = [held(), held(), held()];
    const going = turns.take('a', first.work);
    assert.equal(await turns.take('a', second.work), 'late');
    const following = turns.take('a', third.work);
    assert.deepEqual([second.hasBegun, third.hasBegun], [false, false]);
    first.end('first');
    third.end('third');
    assert.deepEqual(await Promise.all([going, following]), ['first', 'third']);
    assert.equal(second.hasBegun, false);
    clearInterval(alive);
  });
});
