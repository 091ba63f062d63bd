import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { armFailpoint, EFFECTS, effect, type EffectName, FAILPOINTS } from './effect.js';

const MODULE = JSON.stringify(new URL('./effect.js', import.meta.url).href);

interface Death {
  readonly signal: string | null;
  readonly stdout: string;
}

/** Runs a process that arms a failpoint and passes the effect `api.order.commit` three times, telling what it does. */
function passThrice(failpoint: string): Promise<Death> {
  const program = `
    import { writeSync } from 'node:fs';
    import { armFailpoint, effect } from ${MODULE};
    const say = (word) => writeSync(1, word + ' ');
    armFailpoint(${JSON.stringify(failpoint)});
    for (let pass = 1; pass <= 3; pass += 1) {
      setImmediate(() => say('later'));
      await effect('api.order.answer', async () => undefined);
      await effect('api.order.commit', async () => say('ran' + pass));
      say('passed' + pass);
    }
  `;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 }, (error, stdout) => {
      resolve({
        signal: error === null ? null : (error.signal ?? `no signal: ${error.message}`),
        stdout: stdout.replaceAll('later ', '').trim(),
      });
    });
  });
}

describe('an effect', () => {
  it('gives what it gave, and throws what it threw', async () => {
    assert.equal(await effect('worker.stripe.read', () => Promise.resolve(7)), 7);
    await assert.rejects(
      effect('worker.stripe.read', () => Promise.reject(new Error('no answer'))),
      /no answer/,
    );
  });

  it('has a failpoint before and one after it, and nothing else is one', () => {
    assert.equal(FAILPOINTS.length, 2 * Object.keys(EFFECTS).length);
    for (const name of Object.keys(EFFECTS) as EffectName[]) {
      for (const moment of ['before', 'after']) assert.ok(FAILPOINTS.includes(`${name}.${moment}`));
    }
  });
});

describe('a failpoint', () => {
  it('cannot be armed when there is none of that name', () => {
    for (const spec of [
      '',
      ':1',
      'api.order.commit',
      'api.order.commit.during',
      'API.order.commit.before',
      'toString',
      '__proto__',
      ' api.order.commit.before',
    ]) {
      assert.throws(() => armFailpoint(spec), /there is no failpoint/, spec);
    }
  });

  it('cannot be armed for what is no count', () => {
    for (const nth of ['', '0', '-1', '1.5', '01', 'x', '1x', ' 1', '1:2', 'Infinity']) {
      assert.throws(() => armFailpoint(`api.order.commit.before:${nth}`), /no count/, nth);
    }
  });

  const rows: readonly (readonly [failpoint: string, before: string])[] = [
    ['api.order.commit.before', ''],
    ['api.order.commit.after', 'ran1'],
    ['api.order.commit.before:1', ''],
    ['api.order.commit.before:2', 'ran1 passed1'],
    ['api.order.commit.after:2', 'ran1 passed1 ran2'],
    ['api.order.commit.before:3', 'ran1 passed1 ran2 passed2'],
  ];
  for (const [failpoint, before] of rows) {
    it(`kills the process at ${failpoint}, not earlier, and nothing runs after it`, async () => {
      assert.deepEqual(await passThrice(failpoint), { signal: 'SIGKILL', stdout: before });
    });
  }

  it('that is never reached kills nobody', async () => {
    const everything = 'ran1 passed1 ran2 passed2 ran3 passed3';
    for (const failpoint of ['api.order.commit.before:4', 'worker.relay.add.after']) {
      assert.deepEqual(await passThrice(failpoint), { signal: null, stdout: everything });
    }
  });
});
