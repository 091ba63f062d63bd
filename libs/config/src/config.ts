import { type Setting, type SettingName, SETTINGS } from './settings.js';

/** Test or live: Stripe's own separation, which ours follows. */
export type Mode = 'test' | 'live';

/** Everything the processes are told from outside, parsed, checked and complete. */
export interface Config {
  readonly production: boolean;
  readonly port: number;
  readonly adminPort: number | null;
  readonly logLevel: string;
  readonly migrateOnStart: boolean;
  readonly database: { readonly url: string; readonly directUrl: string };
  /** null: the queue lives in PostgreSQL. */
  readonly redisUrl: string | null;
  readonly instance: string;
  readonly keyPepper: string;
  readonly idempotencyRetentionDays: number;
  readonly orderExpiresAfterSeconds: number;
  /** 0: never. */
  readonly eventsBackfillEverySeconds: number;
  /** 0: only when asked to. */
  readonly reconcileEverySeconds: number;
  /** How long a process may take to stop, and how long of that the API goes on as before. */
  readonly shutdown: { readonly timeoutMs: number; readonly delayMs: number };
  /** Addresses or ranges whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[];
  /** Requests a minute; 0: no limit. */
  readonly rateLimits: { readonly perKey: number; readonly perIp: number; readonly authFailures: number };
  /** null: no tokens are taken. */
  readonly accessTokens: {
    readonly issuer: string;
    readonly audience: string;
    readonly jwksUrl: string;
    readonly accountClaim: string;
  } | null;
  readonly stripe: {
    readonly mode: Mode;
    readonly secretKey: string;
    readonly publishableKey: string | null;
    readonly webhookSecrets: readonly string[];
    /** null: Stripe itself. */
    readonly apiBase: string | null;
    readonly timeoutMs: number;
    /** null: no limit. */
    readonly ratePerSecond: number | null;
    /** Outage failures in a row that open the circuit breaker. */
    readonly breakerFailures: number;
  };
  readonly development: {
    readonly secretKeys: readonly string[];
    readonly publishableKeys: readonly string[];
    readonly failpoint: string | null;
    readonly clockUrl: string | null;
  };
}

/** The start is refused: `problems` lists everything that is wrong, one sentence each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** The simulator serves any test key; outside production these stand in for an account that is not there. */
const SIMULATOR_DEFAULTS = {
  secretKey: 'sk_test_oncepay',
  publishableKey: 'pk_test_oncepay',
  webhookSecret: 'whsec_oncepay_simulator',
};
const STRIPE_TIMEOUT_MS = 10_000;
/** What a stopping worker needs beside its calls to Stripe: recording what they brought, and closing what it opened. */
const RECORDING_MS = 5_000;
/** How long Kubernetes and most load balancers take to notice that a process is not ready any more. */
const PRODUCTION_DELAY_SECONDS = 5;
/** What Stripe allows an account altogether. Source: docs.stripe.com/rate-limits. */
const STRIPE_RATES: Readonly<Record<Mode, number>> = { live: 100, test: 25 };
const DEVELOPMENT_PEPPER = 'a development pepper that protects nothing';

/**
 * Reads the environment once, before anything starts. Safe to repeat.
 * Throws ConfigError with every problem at once, so that nobody mends them one start at a time.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { values, problems } = readAll(env);
  const read = <K extends SettingName>(name: K): Value<K> | null => (values.get(name) ?? null) as Value<K> | null;
  const production = read('NODE_ENV') === 'production';
  const needed = <T>(name: SettingName, value: T | null, elsewhere: T): T => {
    if (value !== null) return value;
    if (production && (env[name] ?? '').trim() === '') problems.push(`${name} must be set in production`);
    return elsewhere;
  };

  const secretKey = needed('STRIPE_SECRET_KEY', read('STRIPE_SECRET_KEY'), SIMULATOR_DEFAULTS.secretKey);
  const simulated = read('STRIPE_SECRET_KEY') === null && !production;
  const mode: Mode = /^[sr]k_live_/.test(secretKey) ? 'live' : 'test';
  const apiBase = read('STRIPE_API_BASE') ?? (simulated ? `http://127.0.0.1:${read('SIMULATOR_PORT') ?? 12_111}` : null);
  const webhookSecrets = read('STRIPE_WEBHOOK_SECRETS') ?? [];
  const timeoutMs = read('STRIPE_TIMEOUT_MS') ?? STRIPE_TIMEOUT_MS;
  const databaseUrl = read('DATABASE_URL');
  if (databaseUrl === null && !env['DATABASE_URL']?.trim()) problems.push('DATABASE_URL must be set (npm start brings its own PostgreSQL)');

  const config: Config = {
    production,
    port: read('PORT') ?? 3000,
    adminPort: read('ADMIN_PORT'),
    logLevel: read('LOG_LEVEL') ?? 'info',
    migrateOnStart: read('MIGRATE_ON_START') ?? !production,
    database: { url: databaseUrl ?? '', directUrl: read('DATABASE_DIRECT_URL') ?? databaseUrl ?? '' },
    redisUrl: read('REDIS_URL'),
    instance: needed('ONCEPAY_INSTANCE', read('ONCEPAY_INSTANCE'), 'development'),
    keyPepper: needed('ONCEPAY_KEY_PEPPER', read('ONCEPAY_KEY_PEPPER'), DEVELOPMENT_PEPPER),
    idempotencyRetentionDays: read('IDEMPOTENCY_RETENTION_DAYS') ?? 30,
    orderExpiresAfterSeconds: read('ORDER_EXPIRES_AFTER_SECONDS') ?? 86_400,
    eventsBackfillEverySeconds: read('EVENTS_BACKFILL_EVERY_SECONDS') ?? 5,
    reconcileEverySeconds: read('RECONCILE_EVERY_SECONDS') ?? 3_600,
    shutdown: shutdownOf(read, production, timeoutMs),
    trustedProxies: read('TRUSTED_PROXIES') ?? [],
    rateLimits: rateLimitsOf(read, production),
    accessTokens: accessTokensOf(read, problems),
    stripe: {
      mode,
      secretKey,
      publishableKey: read('STRIPE_PUBLISHABLE_KEY') ?? (simulated ? SIMULATOR_DEFAULTS.publishableKey : null),
      webhookSecrets: webhookSecrets.length === 0 && simulated ? [SIMULATOR_DEFAULTS.webhookSecret] : webhookSecrets,
      apiBase,
      timeoutMs,
      ratePerSecond: read('STRIPE_RATE_PER_SECOND') ?? (apiBase === null ? STRIPE_RATES[mode] : null),
      breakerFailures: read('STRIPE_BREAKER_FAILURES') ?? 10,
    },
    development: {
      secretKeys: read('ONCEPAY_DEV_SECRET_KEY') ?? [],
      publishableKeys: read('ONCEPAY_DEV_PUBLISHABLE_KEY') ?? [],
      failpoint: read('ONCEPAY_FAILPOINT'),
      clockUrl: read('ONCEPAY_CLOCK_URL'),
    },
  };
  problems.push(...contradictions(config));
  if (production && read('ONCEPAY_KEY_PEPPER') === DEVELOPMENT_PEPPER)
    problems.push('ONCEPAY_KEY_PEPPER is that of development, which everybody can read');
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

type Read = <K extends SettingName>(name: K) => Value<K> | null;

function shutdownOf(read: Read, production: boolean, timeoutMs: number): Config['shutdown'] {
  const seconds = read('SHUTDOWN_TIMEOUT_SECONDS');
  return {
    // An order that is paid at once is two calls, one after the other.
    timeoutMs: seconds === null ? 2 * timeoutMs + RECORDING_MS : seconds * 1_000,
    delayMs: (read('SHUTDOWN_DELAY_SECONDS') ?? (production ? PRODUCTION_DELAY_SECONDS : 0)) * 1_000,
  };
}

/** Generous for one shop, tight for a guesser. In development nothing that works is slowed down. */
function rateLimitsOf(read: Read, production: boolean): Config['rateLimits'] {
  const usual = production
    ? { perKey: 6_000, perIp: 600, authFailures: 60 }
    : { perKey: 1_000_000, perIp: 1_000_000, authFailures: 1_000_000 };
  return {
    perKey: read('RATE_LIMIT_PER_KEY') ?? usual.perKey,
    perIp: read('RATE_LIMIT_PER_IP') ?? usual.perIp,
    authFailures: read('RATE_LIMIT_AUTH_FAILURES') ?? usual.authFailures,
  };
}

function accessTokensOf(read: Read, problems: string[]): Config['accessTokens'] {
  const [issuer, audience, jwksUrl] = [read('JWT_ISSUER'), read('JWT_AUDIENCE'), read('JWT_JWKS_URL')];
  if (issuer !== null && audience !== null && jwksUrl !== null)
    return { issuer, audience, jwksUrl, accountClaim: read('JWT_ACCOUNT_CLAIM') ?? 'oncepay_account' };
  if (issuer !== null || audience !== null || jwksUrl !== null)
    problems.push('JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL must be set together or not at all');
  return null;
}

type Value<K extends SettingName> = ReturnType<(typeof SETTINGS)[K]['parse']>;

/** Every variable that is set, parsed once; those too that another one makes needless. */
function readAll(env: NodeJS.ProcessEnv): { values: ReadonlyMap<string, unknown>; problems: string[] } {
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const value = env[name]?.trim() ?? '';
    if (value === '') continue;
    try {
      values.set(name, setting.parse(value));
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { values, problems };
}

/** What each value allows on its own and the whole does not. */
function contradictions({ production, stripe, shutdown, development, accessTokens }: Config): string[] {
  const problems: string[] = [];
  if (shutdown.timeoutMs <= Math.max(stripe.timeoutMs, shutdown.delayMs)) {
    problems.push('SHUTDOWN_TIMEOUT_SECONDS must be longer than STRIPE_TIMEOUT_MS and SHUTDOWN_DELAY_SECONDS, or calls are cut off');
  }
  const overlap = development.secretKeys.filter((key) => key !== '' && development.publishableKeys.includes(key));
  if (overlap.length > 0) problems.push('ONCEPAY_DEV_SECRET_KEY and ONCEPAY_DEV_PUBLISHABLE_KEY share a key');
  if (stripe.publishableKey !== null && !stripe.publishableKey.startsWith(`pk_${stripe.mode}_`)) {
    problems.push(`STRIPE_PUBLISHABLE_KEY is not of the ${stripe.mode} mode of STRIPE_SECRET_KEY`);
  }
  if (stripe.mode === 'live' && stripe.apiBase?.startsWith('http:')) {
    problems.push('STRIPE_API_BASE must be https: with a live key');
  }
  if (!production) return problems;
  if (stripe.webhookSecrets.length === 0)
    problems.push('STRIPE_WEBHOOK_SECRETS must be set in production: without it, events could be forged');
  if (stripe.webhookSecrets.includes(SIMULATOR_DEFAULTS.webhookSecret))
    problems.push('STRIPE_WEBHOOK_SECRETS holds that of the simulator, which everybody can read');
  if (accessTokens?.jwksUrl.startsWith('http:')) problems.push('JWT_JWKS_URL must be https: in production');
  if (development.failpoint !== null) problems.push('ONCEPAY_FAILPOINT is refused in production');
  if (development.clockUrl !== null) problems.push('ONCEPAY_CLOCK_URL is refused in production');
  if (development.secretKeys.length > 0) problems.push('ONCEPAY_DEV_SECRET_KEY is refused in production');
  if (development.publishableKeys.length > 0) problems.push('ONCEPAY_DEV_PUBLISHABLE_KEY is refused in production');
  return problems;
}
