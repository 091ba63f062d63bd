import { parseFailpoint } from '#libs/primitives';
import { redisNodes } from './redis-url.js';

/** One environment variable: what it means, what it is when absent, and how its text becomes a value. */
export interface Setting<T> {
  readonly description: string;
  /** Shown in .env.example; a secret never has a usable one. */
  readonly example: string;
  /** Throws an Error whose message completes the sentence "NAME …". */
  readonly parse: (text: string) => T;
}

const list = (description: string, example = ''): Setting<readonly string[]> => ({
  description,
  example,
  parse: (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
});

/** A list in which the place of an entry means something, so that an empty one keeps its place. */
const places = (description: string): Setting<readonly string[]> => ({
  description,
  example: '',
  parse: (value) => value.split(',').map((part) => part.trim()),
});

const integer = (description: string, example: string, minimum: number, maximum: number): Setting<number> => ({
  description,
  example,
  parse: (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
      throw new Error(`must be a whole number from ${minimum} to ${maximum}, not "${value}"`);
    }
    return number;
  },
});

const flag = (description: string, example: string): Setting<boolean> => ({
  description,
  example,
  parse: (value) => {
    if (value !== 'true' && value !== 'false') throw new Error(`must be true or false, not "${value}"`);
    return value === 'true';
  },
});

const url = (description: string, example: string, protocols: readonly string[]): Setting<string> => ({
  description,
  example,
  parse: (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed === null || !protocols.includes(parsed.protocol)) {
      throw new Error(`must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return value;
  },
});

const redisUrl = (description: string): Setting<string> => ({
  description,
  example: '',
  parse: (value) => (redisNodes(value) === null ? url(description, '', REDIS).parse(value) : value),
});

const matching = (description: string, example: string, pattern: RegExp, rule: string): Setting<string> => ({
  description,
  example,
  parse: (value) => {
    if (!pattern.test(value)) throw new Error(`must ${rule}`);
    return value;
  },
});

const failpoint = (description: string): Setting<string> => ({
  description,
  example: '',
  parse: (value) => {
    try {
      parseFailpoint(value);
    } catch (error) {
      throw new Error(`must be name or name:nth of a failpoint: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    return value;
  },
});

const POSTGRES = ['postgres:', 'postgresql:'];
const REDIS = ['redis:', 'rediss:'];
const HTTP = ['http:', 'https:'];
/** More than one process can answer. */
const MANY = 100_000_000;
/** A year: longer would be a typing error, and PostgreSQL intervals stay far from their limit. */
const ONE_YEAR_SECONDS = 31_536_000;

/** Every environment variable Oncepay reads. `.env.example` is generated from this table. */
export const SETTINGS = {
  NODE_ENV: matching(
    'production switches every development convenience off',
    'development',
    /^(production|development|test)$/,
    'be production, development or test',
  ),
  PORT: integer('port of the API', '3000', 0, 65_535),
  ADMIN_PORT: integer('when set, metrics and ops live only here (API), and /health and /metrics of the worker', '', 0, 65_535),
  DATABASE_URL: url(
    'PostgreSQL 15 or newer; may lead through a transaction pooler',
    'postgresql://oncepay:oncepay@127.0.0.1:5432/oncepay',
    POSTGRES,
  ),
  DATABASE_DIRECT_URL: url('the same database without a pooler, for LISTEN, the queue and migrations; default DATABASE_URL', '', POSTGRES),
  REDIS_URL: redisUrl('when set, the queue lives in Redis 7 instead of PostgreSQL; a cluster is redis+cluster://host:port,host:port'),
  MIGRATE_ON_START: flag('API and worker apply migrations when they start; default true outside production', 'true'),
  STRIPE_SECRET_KEY: matching(
    'your Stripe secret or restricted key; without it, the local simulator is used (never in production)',
    '',
    /^[sr]k_(test|live)_\w+$/,
    'be a Stripe key: sk_test_…, sk_live_…, rk_test_… or rk_live_…',
  ),
  STRIPE_PUBLISHABLE_KEY: matching(
    'your Stripe publishable key, handed to browsers with each order',
    '',
    /^pk_(test|live)_\w+$/,
    'be a Stripe publishable key: pk_test_… or pk_live_…',
  ),
  STRIPE_WEBHOOK_SECRETS: list('signing secrets of your webhook endpoints, comma-separated: two during a rotation', 'whsec_…'),
  STRIPE_API_BASE: url("where Stripe's API is; only for the simulator", '', HTTP),
  STRIPE_TIMEOUT_MS: integer('how long one call to Stripe may take before its outcome counts as unknown', '10000', 100, 60_000),
  STRIPE_RATE_PER_SECOND: integer(
    'calls to Stripe a second, of all workers together; default 100 with a live key, 25 with a test key, no limit with STRIPE_API_BASE',
    '',
    1,
    10_000,
  ),
  STRIPE_BREAKER_FAILURES: integer(
    'so many calls in a row, of all workers together, that find Stripe away or failing hold all others back until one succeeds',
    '10',
    1,
    1_000_000,
  ),
  ONCEPAY_INSTANCE: matching(
    'name of this installation, written on every object at Stripe; unique within your Stripe account',
    'shop-eu',
    /^[A-Za-z0-9][\w-]{0,39}$/,
    'be 1 to 40 letters, digits, dashes and underscores, the first a letter or digit',
  ),
  ONCEPAY_KEY_PEPPER: matching('secret under which API keys are hashed', '', /^.{32,}$/, 'have at least 32 characters'),
  IDEMPOTENCY_RETENTION_DAYS: integer('days a stored response can be replayed; the key itself is kept for ever', '30', 1, 3650),
  ORDER_EXPIRES_AFTER_SECONDS: integer('an order nobody paid expires after this long', '86400', 1, ONE_YEAR_SECONDS),
  EVENTS_BACKFILL_EVERY_SECONDS: integer(
    "how often Stripe's list of events is looked through for webhooks that never came; 0: never",
    '5',
    0,
    86_400,
  ),
  RECONCILE_EVERY_SECONDS: integer(
    "how often our record is compared with Stripe's as a whole; 0: only when asked to",
    '3600',
    0,
    ONE_YEAR_SECONDS,
  ),
  SHUTDOWN_TIMEOUT_SECONDS: integer(
    'a process that was asked to stop is gone after this long; default two Stripe timeouts and 5 s, what a job may still take',
    '25',
    1,
    600,
  ),
  SHUTDOWN_DELAY_SECONDS: integer(
    'the API answers for this long after it said on /health/ready that it stops, until no load balancer sends more; default 5 in production, else 0',
    '',
    0,
    300,
  ),
  TRUSTED_PROXIES: list('addresses or CIDR ranges of the proxies in front of the API, whose X-Forwarded-For counts', '10.0.0.0/8'),
  RATE_LIMIT_PER_KEY: integer(
    'requests a minute by one secret key or token; 0: no limit; default 6000, outside production 1000000',
    '',
    0,
    MANY,
  ),
  RATE_LIMIT_PER_IP: integer(
    'requests a minute by publishable keys from one address; 0: no limit; default 600, outside production 1000000',
    '',
    0,
    MANY,
  ),
  RATE_LIMIT_AUTH_FAILURES: integer(
    'requests a minute without a valid key from one address, and origins of no key named from it; 0: no limit; default 60, outside production 1000000',
    '',
    0,
    MANY,
  ),
  JWT_ISSUER: url('when set, access tokens (RFC 9068) of this issuer are taken beside API keys', '', HTTP),
  JWT_AUDIENCE: matching('the audience those tokens must name', '', /^\S+$/, 'hold no blanks'),
  JWT_JWKS_URL: url("where the issuer's keys are", '', HTTP),
  JWT_ACCOUNT_CLAIM: matching('the claim that names the account, a UUID', 'oncepay_account', /^\S+$/, 'hold no blanks'),
  LOG_LEVEL: matching(
    'fatal, error, warn, info, debug or trace',
    'info',
    /^(fatal|error|warn|info|debug|trace|silent)$/,
    'be a pino level',
  ),
  ONCEPAY_DEV_SECRET_KEY: places('development only: secret API keys; the n-th key here and below belong to one account'),
  ONCEPAY_DEV_PUBLISHABLE_KEY: places('development only: publishable API keys'),
  ONCEPAY_FAILPOINT: failpoint('tests only: die by SIGKILL at this failpoint, name[:nth]; npm run failpoints lists them'),
  ONCEPAY_CLOCK_URL: url("development only: the simulator's virtual clock", 'http://127.0.0.1:12111/_sim/clock', HTTP),
  SIMULATOR_PORT: integer('port of the Stripe simulator', '12111', 0, 65_535),
} as const satisfies Record<string, Setting<unknown>>;

/** The name of an environment variable. */
export type SettingName = keyof typeof SETTINGS;
