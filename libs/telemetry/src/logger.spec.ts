import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const MODULES = ['./logger.js', './nest-logger.js'].map((path) => JSON.stringify(new URL(path, import.meta.url).href));

interface Output {
  readonly text: string;
  readonly lines: readonly Record<string, unknown>[];
}

/** What a process prints that logs so: `log` is a logger at level info, `nest` the framework's. */
async function output(program: string): Promise<Output> {
  const preamble = `import { createLogger } from ${MODULES[0]}; import { nestLogger } from ${MODULES[1]}; const log = createLogger('spec', 'info'); const nest = nestLogger(log);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `${preamble}\n${program}`], {
    timeout: 20_000,
  });
  return { text: stdout, lines: stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)) }; // prettier-ignore
}

const only = ({ lines }: Output): Record<string, unknown> =>
  lines.length === 1 && lines[0] ? lines[0] : assert.fail(`${lines.length} lines`);

describe('a log line', () => {
  it('is one JSON object: when, which process, how grave, what, and the facts', async () => {
    const { time, ...line } = only(
      await output(`log.info({ orderId: 'ord_1', nested: { n: 1 } }, 'an order\\nwas placed'); log.debug('unseen');`),
    );
    assert.deepEqual(line, { level: 'info', process: 'spec', orderId: 'ord_1', nested: { n: 1 }, msg: 'an order\nwas placed' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('holds no field that is a secret, at the top or one or two levels below', async () => {
    const fields = [
      'authorization',
      'idempotencyKey',
      'clientSecret',
      'client_secret',
      'secretKey',
      'stripeIdempotencyKey',
      'signature',
      'card',
      'cookie',
      'idempotency-key',
      'stripe-signature',
      'oncepay-client-secret',
    ];
    const { lines } = await output(`
      for (const field of ${JSON.stringify([...fields, ...fields.map((field) => field.toUpperCase())])}) {
        const secret = { [field]: 'canary' };
        log.info({ ...secret, request: { ...secret, headers: secret } }, 'seen');
      }`);
    assert.equal(lines.length, 2 * fields.length);
    for (const line of lines) {
      const text = JSON.stringify(line);
      assert.doesNotMatch(text, /canary/);
      assert.equal(text.match(/\[redacted\]/g)?.length, 3, text);
    }
  });

  it('holds no secret in a text, whoever quoted it, and stays the JSON it is', async () => {
    const secrets = [
      'oncepay_sk_test_01h455vb_AAAAAAAAAAAAAAAAAAAAAA-_canary',
      'oncepay_rk_test_01h455vb_AAAAAAAAAAAAAAAAAAAAAA-_canary',
      'oncepay_pk_live_01h455vb_AAAAAAAAAAAAAAAAAAAAAA-_canary',
      'sk_test_canary',
      'sk_live_canary',
      'rk_live_canary',
      'whsec_canary',
      'ord_01h455vb4pex5vsknk084sn02q_secret_AAAA-_canary',
      'pi_1_secret_canary',
      'cs_test_1_secret_canary',
      'postgresql://oncepay:canary@127.0.0.1/x',
      'redis://:canary@127.0.0.1',
    ];
    const { lines } = await output(`
      for (const secret of ${JSON.stringify(secrets)}) {
        log.warn({ note: 'a "' + secret + '" b', error: new Error('refused: ' + secret) }, secret);
        log.warn('first line\\n' + secret);
      }`);
    assert.equal(lines.length, 2 * secrets.length);
    assert.doesNotMatch(JSON.stringify(lines), /canary/);
    for (const { note } of lines) if (typeof note === 'string') assert.match(note, /^a "[^"]*\[redacted\][^"]*" b$/);
  });

  it("keeps ids, Stripe's publishable keys and addresses, by which people find things", async () => {
    const plain = [
      'ord_01h455vb4pex5vsknk084sn02q',
      'pi_1',
      'op_1-1',
      'pk_test_1',
      'req_1',
      'https://shop.example:443/a@b',
      'postgresql://127.0.0.1/x',
      'a secret_santa',
    ];
    const { lines } = await output(plain.map((text) => `log.info(${JSON.stringify(text)});`).join(''));
    assert.deepEqual(lines.map(({ msg }) => msg), plain); // prettier-ignore
  });
});

describe('the facts of a log line', () => {
  it('are shown with dates, lists and objects as they are, five levels deep', async () => {
    const line = only(
      await output(
        `log.info({ at: new Date(0), list: [1, [2]], bare: Object.assign(Object.create(null), { a: 1 }), a: { b: { c: { d: { e: 1, f: {} } } } } }, 'seen');`,
      ),
    );
    const { at, list, bare, a } = line;
    assert.deepEqual(
      { at, list, bare, a },
      { at: '1970-01-01T00:00:00.000Z', list: [1, [2]], bare: { a: 1 }, a: { b: { c: { d: { e: 1, f: '[deeper]' } } } } },
    );
  });

  it('end where they lead back to themselves', async () => {
    const { lines } = await output(`const own = { list: [] }; own.own = own; own.list.push(own.list); log.info({ own }, 'seen');`);
    assert.equal(lines.length, 1);
    assert.match(JSON.stringify(lines), /\[deeper\]/);
  });

  it('hold no secret in an object without a prototype', async () => {
    const { text } = await output(`log.info({ bare: Object.assign(Object.create(null), { cookie: 'canary' }) }, 'seen');`);
    assert.doesNotMatch(text, /canary/);
  });
});

describe('an error in a log line', () => {
  /** What drivers and SDKs hang on their errors. */
  const LOADED = `const loaded = Object.assign(new TypeError('no answer'), { headers: { a: 'canary' }, params: ['canary'], raw: 'canary', detail: 'Key (secret)=(canary)' });`;

  const ways: Readonly<Record<string, string>> = {
    'under error': `log.error({ error: loaded }, 'failed');`,
    'under err': `log.error({ err: loaded }, 'failed');`,
    alone: `log.error(loaded, 'failed');`,
    "as the framework's": `nest.error(loaded, 'stack', 'Context');`,
    "as the framework's detail": `nest.warn('failed', loaded);`,
    'beside another': `nest.error(new TypeError('no answer'), loaded);`,
    'among facts': `log.error({ error: new TypeError('no answer'), facts: [loaded], more: { loaded } }, 'failed');`,
  };
  for (const [way, statement] of Object.entries(ways)) {
    it(`has its name, words and stack and nothing else: ${way}`, async () => {
      const { text } = await output(`${LOADED} ${statement}`);
      assert.doesNotMatch(text, /canary/);
      assert.match(text, /no answer/);
      assert.match(text, /TypeError: no answer\\n +at /);
    });
  }

  it('tells its causes in the same way', async () => {
    const { error } = only(
      await output(`${LOADED} log.error({ error: new Error('gave up', { cause: new Error('refused', { cause: loaded }) }) }, 'failed');`),
    );
    const { name, message, cause } = Object(error);
    assert.deepEqual(
      [name, message, cause.message, cause.cause.message, cause.cause.name],
      ['Error', 'gave up', 'refused', 'no answer', 'TypeError'],
    );
    assert.doesNotMatch(JSON.stringify(error), /canary/);
  });

  it('stands under error when it is logged alone', async () => {
    const { error, msg } = only(await output(`${LOADED} log.error(loaded);`));
    assert.deepEqual([Object(error).name, msg], ['TypeError', 'no answer']);
  });

  it('may be anything that was thrown, and a cause that leads back to itself', async () => {
    const { lines } = await output(`
      log.error({ error: 'a text' }, '1'); log.error({ error: undefined }, '2'); log.error({ error: { canary: 1 } }, '3');
      const own = new Error('round'); own.cause = own; log.error({ error: own }, '4');
      log.error({ error: new Error('e', { cause: 'a text' }) }, '5');`);
    assert.equal(lines.length, 5);
    assert.deepEqual(Object(lines[4]?.['error']).cause, { message: 'a text' });
    assert.deepEqual(lines[0]?.['error'], { message: 'a text' });
    assert.doesNotMatch(JSON.stringify(lines), /canary/);
  });
});

describe('a card number', () => {
  it('is masked wherever it stands in a log line, and an access token too', async () => {
    const { text, lines } = await output(`
      log.info({ a: '4242 4242 4242 4242', b: { c: ['x 4242424242424242'] }, error: new Error('no card 4242-4242-4242-4242') }, 'paid by 4242424242424242');
      log.info({ token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl' }, 'called');`);
    assert.doesNotMatch(text, /4242[ -]?4242|eyJ/);
    assert.deepEqual([lines[0]?.['a'], lines[0]?.['msg'], lines[1]?.['token']], ['[card number]', 'paid by [card number]', '[redacted]']);
  });
});

describe("the framework's log lines", () => {
  it('are grave as they were meant, but for what it announces while it starts', async () => {
    const { lines } = await output(
      `nest.log('started', 'Context'); nest.warn('odd', 'Context'); nest.error('broken', 'stack', 'Context');`,
    );
    assert.deepEqual(lines.map(({ level, msg, details }) => [level, msg, details]), [['warn', 'odd', ['Context']], ['error', 'broken', ['stack', 'Context']]]); // prettier-ignore
  });
});
