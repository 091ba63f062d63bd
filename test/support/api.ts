import { type Config, loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { type RunningApi, startApi } from '../../apps/api/src/api.js';
import { KEY_PEPPER } from './api-keys.js';
import { type Answer, call } from './http-client.js';
import { PUBLISHABLE_KEYS, SECRET_KEYS } from './stack.js';

/** An API without worker and simulator, for what only the API decides. */
export interface ApiAlone {
  readonly url: string;
  /** All that it answers. */
  readonly routes: RunningApi['routes'];
  /** Sends a request, by the first account's secret key unless `key` says otherwise. */
  call(path: string, options?: Parameters<typeof call>[1]): Promise<Answer>;
  /** Sends POST /v1/orders. */
  order(idempotencyKey: string, body: unknown, options?: Parameters<typeof call>[1]): Promise<Answer>;
  close(): Promise<void>;
}

/** The settings of an API on a database, which other APIs may share. */
export function configAlone(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Config {
  return loadConfig({
    DATABASE_URL: databaseUrl,
    PORT: '0',
    STRIPE_SECRET_KEY: 'sk_test_of_no_account',
    STRIPE_WEBHOOK_SECRETS: 'whsec_of_the_tests',
    ONCEPAY_INSTANCE: 'tests',
    ONCEPAY_KEY_PEPPER: KEY_PEPPER,
    ONCEPAY_DEV_SECRET_KEY: SECRET_KEYS.join(','),
    ONCEPAY_DEV_PUBLISHABLE_KEY: PUBLISHABLE_KEYS.join(','),
    ...env,
  });
}

/** Starts an API with these settings. */
export async function startApiAlone(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Promise<ApiAlone> {
  const api = await startApi(configAlone(databaseUrl, env), createLogger('test', 'silent'));
  const send: ApiAlone['call'] = (path, options = {}) => call(`${api.url}${path}`, { key: SECRET_KEYS[0], ...options });
  return {
    url: api.url,
    routes: api.routes,
    call: send,
    order: (idempotencyKey, body, options = {}) => send('/v1/orders', { idempotencyKey, body, ...options }),
    close: () => api.close(),
  };
}
