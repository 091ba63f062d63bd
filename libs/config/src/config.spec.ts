import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Config, ConfigError, loadConfig } from './config.js';
import { SETTINGS } from './settings.js';

type Env = Readonly<Record<string, string>>;

const DEVELOPMENT: Env = { DATABASE_URL: 'postgresql://oncepay@127.0.0.1/oncepay' };
const PRODUCTION: Env = {
  ...DEVELOPMENT,
  NODE_ENV: 'production',
  STRIPE_SECRET_KEY: 'sk_live_4242',
  STRIPE_WEBHOOK_SECRETS: 'whsec_1',
  ONCEPAY_INSTANCE: 'shop-eu',
  ONCEPAY_KEY_PEPPER: 'p'.repeat(32),
};

const without = (env: Env, ...names: readonly string[]): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

function problems(env: Env): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The names of the variables that the problems begin with. */
const blamed = (env: Env): readonly string[] => problems(env).map((problem) => problem.split(' ')[0] ?? '');

describe('the configuration of a development process', () => {
  it('needs a database and nothing else', () => {
    assert.deepEqual(problems({}), ['DATABASE_URL must be set (npm start brings its own PostgreSQL)']);
    const config: Config = loadConfig(DEVELOPMENT);
    assert.deepEqual(
      { ...config, keyPepper: '', database: null },
      {
        production: false,
        port: 3000,
        adminPort: null,
        logLevel: 'info',
        migrateOnStart: true,
        database: null,
        redisUrl: null,
        instance: 'development',
        keyPepper: '',
        idempotencyRetentionDays: 30,
        orderExpiresAfterSeconds: 86_400,
        eventsBackfillEverySeconds: 5,
        reconcileEverySeconds: 3_600,
        shutdown: { timeoutMs: 25_000, delayMs: 0 },
        trustedProxies: [],
        rateLimits: { perKey: 1_000_000, perIp: 1_000_000, authFailures: 1_000_000 },
        accessTokens: null,
        stripe: {
          mode: 'test',
          secretKey: 'sk_test_oncepay',
          publishableKey: 'pk_test_oncepay',
          webhookSecrets: ['whsec_oncepay_simulator'],
          apiBase: 'http://127.0.0.1:12111',
          timeoutMs: 10_000,
          ratePerSecond: null,
          breakerFailures: 10,
        },
        development: { secretKeys: [], publishableKeys: [], failpoint: null, clockUrl: null },
      },
    );
  });

  it('takes spaces alone, and nothing at all, for what is not set', () => {
    assert.deepEqual(blamed({ DATABASE_URL: '  ' }), ['DATABASE_URL']);
    assert.deepEqual(
      loadConfig({ ...Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, ' '])), ...DEVELOPMENT }),
      loadConfig(DEVELOPMENT),
    );
  });

  it('goes to the simulator where there is no Stripe key, wherever that listens', () => {
    assert.equal(loadConfig({ ...DEVELOPMENT, SIMULATOR_PORT: '4000' }).stripe.apiBase, 'http://127.0.0.1:4000');
    assert.equal(loadConfig({ ...DEVELOPMENT, STRIPE_API_BASE: 'http://sim:1' }).stripe.apiBase, 'http://sim:1');
  });

  it('goes to Stripe itself with a Stripe key, without the secrets of the simulator', () => {
    const { apiBase, webhookSecrets, publishableKey } = loadConfig({ ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_test_1' }).stripe;
    assert.deepEqual([apiBase, webhookSecrets, publishableKey], [null, [], null]);
  });

  it('takes lists with spaces, and every value as it is given', () => {
    const config = loadConfig({
      ...DEVELOPMENT,
      PORT: '0',
      ADMIN_PORT: '9000',
      DATABASE_DIRECT_URL: 'postgres://direct/oncepay',
      REDIS_URL: 'redis://127.0.0.1:6379/0',
      MIGRATE_ON_START: 'false',
      STRIPE_SECRET_KEY: 'rk_test_1',
      STRIPE_PUBLISHABLE_KEY: 'pk_test_1',
      STRIPE_WEBHOOK_SECRETS: ' whsec_1 , whsec_2 ,',
      STRIPE_TIMEOUT_MS: '500',
      ONCEPAY_INSTANCE: 'Shop_EU-2',
      IDEMPOTENCY_RETENTION_DAYS: '1',
      ORDER_EXPIRES_AFTER_SECONDS: '60',
      SHUTDOWN_TIMEOUT_SECONDS: '8',
      SHUTDOWN_DELAY_SECONDS: '7',
      LOG_LEVEL: 'silent',
      ONCEPAY_FAILPOINT: 'api.order.commit.before:2',
      ONCEPAY_CLOCK_URL: 'http://127.0.0.1/_sim/clock',
    });
    assert.deepEqual([config.port, config.adminPort, config.migrateOnStart, config.logLevel], [0, 9_000, false, 'silent']);
    assert.deepEqual(config.database, { url: DEVELOPMENT['DATABASE_URL'], directUrl: 'postgres://direct/oncepay' });
    assert.deepEqual(
      [config.redisUrl, config.instance, config.idempotencyRetentionDays, config.orderExpiresAfterSeconds],
      ['redis://127.0.0.1:6379/0', 'Shop_EU-2', 1, 60],
    );
    assert.deepEqual(
      [config.stripe.webhookSecrets, config.stripe.publishableKey, config.stripe.timeoutMs],
      [['whsec_1', 'whsec_2'], 'pk_test_1', 500],
    );
    assert.deepEqual(config.shutdown, { timeoutMs: 8_000, delayMs: 7_000 });
    assert.deepEqual(
      [config.development.failpoint, config.development.clockUrl],
      ['api.order.commit.before:2', 'http://127.0.0.1/_sim/clock'],
    );
  });

  it('uses the one database URL for both when there is no direct one', () => {
    const { database } = loadConfig(DEVELOPMENT);
    assert.equal(database.directUrl, database.url);
  });

  it('keeps the place of a development key, as the n-th of both lists belong to one account', () => {
    const { development } = loadConfig({ ...DEVELOPMENT, ONCEPAY_DEV_SECRET_KEY: 'a, b', ONCEPAY_DEV_PUBLISHABLE_KEY: ',c' });
    assert.deepEqual(development.secretKeys.map((key, index) => [key, development.publishableKeys[index]]), [['a', ''], ['b', 'c']]); // prettier-ignore
    assert.deepEqual(blamed({ ...DEVELOPMENT, ONCEPAY_DEV_SECRET_KEY: 'a,', ONCEPAY_DEV_PUBLISHABLE_KEY: ',b' }), []);
    assert.deepEqual(blamed({ ...DEVELOPMENT, ONCEPAY_DEV_SECRET_KEY: 'a,b', ONCEPAY_DEV_PUBLISHABLE_KEY: 'b' }), [
      'ONCEPAY_DEV_SECRET_KEY',
    ]);
  });
});

describe("Stripe's mode", () => {
  it('follows from how the secret key begins, whatever else stands in it', () => {
    for (const [key, mode] of [['sk_test_1', 'test'], ['rk_test_1', 'test'], ['sk_live_1', 'live'], ['rk_live_1', 'live'], ['sk_test_a_live_b', 'test'], ['sk_live_a_test_b', 'live']] as const) {
      assert.equal(loadConfig({ ...DEVELOPMENT, STRIPE_SECRET_KEY: key }).stripe.mode, mode, key);
    }
  }); // prettier-ignore

  it('is one for both keys', () => {
    assert.deepEqual(blamed({ ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_PUBLISHABLE_KEY: 'pk_live_1' }), [
      'STRIPE_PUBLISHABLE_KEY',
    ]);
    assert.deepEqual(blamed({ ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_live_1', STRIPE_PUBLISHABLE_KEY: 'pk_test_1' }), [
      'STRIPE_PUBLISHABLE_KEY',
    ]);
    assert.deepEqual(blamed({ ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_live_1', STRIPE_PUBLISHABLE_KEY: 'pk_live_1' }), []);
  });

  it('is never live over plain HTTP, in production or out of it', () => {
    for (const env of [PRODUCTION, { ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_live_1' }]) {
      assert.deepEqual(blamed({ ...env, STRIPE_API_BASE: 'http://127.0.0.1:12111' }), ['STRIPE_API_BASE']);
      assert.deepEqual(blamed({ ...env, STRIPE_API_BASE: 'https://proxy.example' }), []);
    }
    assert.deepEqual(blamed({ ...DEVELOPMENT, STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_API_BASE: 'http://127.0.0.1:12111' }), []);
  });
});

describe('a bad configuration', () => {
  it('is refused with everything that is wrong, each once', () => {
    const bad: Env = {
      NODE_ENV: 'Production',
      PORT: '65536',
      ADMIN_PORT: '-1',
      DATABASE_URL: 'mysql://root@db',
      DATABASE_DIRECT_URL: 'nonsense',
      REDIS_URL: 'http://redis',
      MIGRATE_ON_START: 'yes',
      STRIPE_SECRET_KEY: 'sk_prod_1',
      STRIPE_PUBLISHABLE_KEY: 'sk_test_1',
      STRIPE_API_BASE: 'ftp://stripe',
      STRIPE_TIMEOUT_MS: '99',
      ONCEPAY_INSTANCE: 'Shop EU',
      ONCEPAY_KEY_PEPPER: 'short',
      IDEMPOTENCY_RETENTION_DAYS: '0',
      ORDER_EXPIRES_AFTER_SECONDS: '1e5',
      EVENTS_BACKFILL_EVERY_SECONDS: '0.5',
      RECONCILE_EVERY_SECONDS: '1h',
      SHUTDOWN_TIMEOUT_SECONDS: '601',
      SHUTDOWN_DELAY_SECONDS: '-1',
      LOG_LEVEL: 'loud',
      ONCEPAY_FAILPOINT: 'nowhere',
      ONCEPAY_CLOCK_URL: '/_sim/clock',
      SIMULATOR_PORT: '12.5',
    };
    assert.deepEqual([...blamed(bad)].sort(), Object.keys(bad).sort()); // prettier-ignore
  });

  it('is refused for each bad value alone, whatever else is set', () => {
    const bad: Readonly<Record<string, readonly string[]>> = {
      PORT: ['x', '1.5', '-1', '0x10', ' 8 0', '99999999999999999999', 'Infinity'],
      DATABASE_URL: ['oncepay', 'postgres', 'http://db', '//db'],
      STRIPE_SECRET_KEY: ['pk_test_1', 'sk_test_', 'sk_test_a b', 'test', 'sk_TEST_1', 'xsk_test_1'],
      ONCEPAY_INSTANCE: ['-a', '_a', 'a b', 'a.b', 'é', 'a'.repeat(41)],
      MIGRATE_ON_START: ['TRUE', '1', 'no'],
      NODE_ENV: ['prod', 'PRODUCTION', 'live'],
      ONCEPAY_FAILPOINT: ['api.order.commit', 'api.order.commit.before:0', 'api.order.commit.before:1:2', ':1'],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) assert.deepEqual(blamed({ ...DEVELOPMENT, [name]: value }), [name], `${name}=${value}`);
    }
  });

  it('is described without its secrets', () => {
    const text = problems({
      DATABASE_URL: 'postgre://u:hunter2@db/x',
      STRIPE_SECRET_KEY: 'sk_prod_hunter2',
      ONCEPAY_KEY_PEPPER: 'hunter2',
      REDIS_URL: 'http://:hunter2@r',
    }).join('\n');
    assert.match(text, /DATABASE_URL[^]*STRIPE_SECRET_KEY|STRIPE_SECRET_KEY[^]*DATABASE_URL/);
    assert.doesNotMatch(text, /hunter2/);
  });

  it('stops the start with one sentence each', () => {
    assert.throws(
      () => loadConfig({ PORT: 'x' }),
      /^ConfigError: The configuration has 2 problem\(s\):\n {2}- PORT .*\n {2}- DATABASE_URL .*$/,
    );
  });
});

describe('a number', () => {
  it('lies within its bounds, both included', () => {
    const bounds = {
      PORT: [0, 65_535],
      ADMIN_PORT: [0, 65_535],
      SIMULATOR_PORT: [0, 65_535],
      STRIPE_TIMEOUT_MS: [100, 60_000],
      IDEMPOTENCY_RETENTION_DAYS: [1, 3_650],
      ORDER_EXPIRES_AFTER_SECONDS: [1, 31_536_000],
      EVENTS_BACKFILL_EVERY_SECONDS: [0, 86_400],
      RECONCILE_EVERY_SECONDS: [0, 31_536_000],
      SHUTDOWN_DELAY_SECONDS: [0, 300],
      SHUTDOWN_TIMEOUT_SECONDS: [1, 600],
    } as const;
    const room: Env = { SHUTDOWN_TIMEOUT_SECONDS: '600', STRIPE_TIMEOUT_MS: '100' };
    for (const [name, [least, most]] of Object.entries(bounds)) {
      for (const right of [least, most])
        assert.deepEqual(blamed({ ...DEVELOPMENT, ...room, [name]: String(right) }), [], `${name}=${right}`);
      for (const wrong of [least - 1, most + 1])
        assert.deepEqual(blamed({ ...DEVELOPMENT, ...room, [name]: String(wrong) }), [name], `${name}=${wrong}`);
    }
  });
});

describe('the time to stop', () => {
  it('grows with the time that Stripe is given', () => {
    assert.equal(loadConfig({ ...DEVELOPMENT, STRIPE_TIMEOUT_MS: '60000' }).shutdown.timeoutMs, 125_000);
  });

  it('is refused when it cuts calls to Stripe off, or ends before the API has stopped', () => {
    for (const env of [
      { SHUTDOWN_TIMEOUT_SECONDS: '10' },
      { SHUTDOWN_TIMEOUT_SECONDS: '11', STRIPE_TIMEOUT_MS: '11000' },
      { SHUTDOWN_DELAY_SECONDS: '25' },
    ])
      assert.deepEqual(blamed({ ...DEVELOPMENT, ...env }), ['SHUTDOWN_TIMEOUT_SECONDS'], JSON.stringify(env));
    assert.deepEqual(blamed({ ...DEVELOPMENT, SHUTDOWN_TIMEOUT_SECONDS: '11', SHUTDOWN_DELAY_SECONDS: '10' }), []);
  });

  it('has room in production for load balancers to notice', () => {
    assert.equal(loadConfig(PRODUCTION).shutdown.delayMs, 5_000);
  });
});

describe('the configuration of a production process', () => {
  it('migrates at its start only when told to', () => {
    assert.deepEqual([true, false], ['true', 'false'].map((flag) => loadConfig({ ...PRODUCTION, MIGRATE_ON_START: flag }).migrateOnStart)); // prettier-ignore
  });

  it('is taken when it is whole, with a live or a test key', () => {
    const config = loadConfig(PRODUCTION);
    assert.deepEqual([config.production, config.stripe.mode, config.stripe.apiBase, config.migrateOnStart], [true, 'live', null, false]);
    assert.deepEqual(problems({ ...PRODUCTION, STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_API_BASE: 'http://127.0.0.1:12111' }), []);
  });

  for (const name of Object.keys(PRODUCTION).filter((key) => key !== 'NODE_ENV')) {
    it(`is refused without ${name}`, () => {
      assert.deepEqual(blamed(without(PRODUCTION, name)), [name]);
      assert.deepEqual(blamed({ ...PRODUCTION, [name]: ' ' }), [name]);
    });
  }

  const refused: Env = {
    ONCEPAY_FAILPOINT: 'api.order.commit.before',
    ONCEPAY_CLOCK_URL: 'http://127.0.0.1:12111/_sim/clock',
    ONCEPAY_DEV_SECRET_KEY: 'dev',
    ONCEPAY_DEV_PUBLISHABLE_KEY: 'dev',
    STRIPE_API_BASE: 'http://127.0.0.1:12111',
  };
  for (const [name, value] of Object.entries(refused)) {
    it(`is refused with ${name}=${value}`, () => {
      assert.deepEqual(blamed({ ...PRODUCTION, [name]: value }), [name]);
    });
  }

  it('limits requests unless it is told otherwise', () => {
    assert.deepEqual(loadConfig(PRODUCTION).rateLimits, { perKey: 6_000, perIp: 600, authFailures: 60 });
    assert.equal(loadConfig({ ...PRODUCTION, RATE_LIMIT_PER_KEY: '0' }).rateLimits.perKey, 0);
  });

  it('takes access tokens when all of their issuer is told, over https', () => {
    const issuer = { JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'pay', JWT_JWKS_URL: 'https://login.example/keys' };
    assert.equal(loadConfig({ ...PRODUCTION, ...issuer }).accessTokens?.accountClaim, 'oncepay_account');
    assert.equal(problems({ ...PRODUCTION, JWT_ISSUER: issuer.JWT_ISSUER }).length, 1);
    assert.deepEqual(blamed({ ...PRODUCTION, ...issuer, JWT_JWKS_URL: 'http://login.example/keys' }), ['JWT_JWKS_URL']);
  });

  it('is refused with secrets that everybody can read in the source', () => {
    const known: Env = { ONCEPAY_KEY_PEPPER: loadConfig(DEVELOPMENT).keyPepper, STRIPE_WEBHOOK_SECRETS: 'whsec_1,whsec_oncepay_simulator' };
    for (const [name, value] of Object.entries(known)) {
      assert.deepEqual(blamed({ ...PRODUCTION, [name]: value }), [name]);
      assert.deepEqual(blamed({ ...DEVELOPMENT, [name]: value }), []);
    }
  });

  it('is refused with a list of secrets that has none', () => {
    assert.deepEqual(blamed({ ...PRODUCTION, STRIPE_WEBHOOK_SECRETS: ' , ' }), ['STRIPE_WEBHOOK_SECRETS']);
  });

  it('is refused with everything that is missing at once', () => {
    assert.deepEqual([...blamed({ NODE_ENV: 'production' })].sort(), Object.keys(without(PRODUCTION, 'NODE_ENV')).sort()); // prettier-ignore
  });
});
