import type { Act } from '../core/act.js';
import { refuseUnexpandable } from '../http/expand.js';
import type { RawParams } from '../http/form.js';
import { list, type Parsed, parseShape, type Shape, string } from '../http/params.js';

/** One call of one route. */
export interface Call extends Act {
  /** `publishable` callers are browsers: they see and do only what a client secret opens. */
  audience: 'secret' | 'publishable';
}

/** A call whose parameters were read: `run` does it, and must not wait for anything. */
export interface PreparedCall {
  expand: string[] | undefined;
  run(call: Call): object;
}

export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** With `:id` in place of ids. */
  path: string;
  /** Whether a publishable key may call it. */
  forBrowsers: boolean;
  prepare(raw: RawParams, ids: readonly string[]): PreparedCall;
}

const EXPAND = list(string());

/** What a browser's library sends beside the parameters of the call itself. */
const FROM_BROWSERS = [
  'key',
  '_stripe_version',
  'payment_user_agent',
  'client_attribution_metadata',
  'guid',
  'muid',
  'sid',
  'referrer',
  'time_on_page',
];

/** Declares a route: its parameters, and what it does with them. */
export function endpoint<S extends Shape>(declaration: {
  method: Endpoint['method'];
  path: string;
  forBrowsers?: boolean;
  params: S;
  run: (call: Call, params: Parsed<S>, ids: { id: string; second: string }) => object;
}): Endpoint {
  const forBrowsers = declaration.forBrowsers ?? false;
  return {
    method: declaration.method,
    path: declaration.path,
    forBrowsers,
    prepare(raw, [id = '', second = '']) {
      const { expand, ...own } = raw;
      if (forBrowsers) for (const name of FROM_BROWSERS) delete own[name];
      const params = parseShape(declaration.params, own);
      const paths = EXPAND.parse(expand, 'expand');
      // What only reads may fail afterwards; what changes something may not.
      if (declaration.method === 'POST') refuseUnexpandable(kindOf(declaration.path), paths);
      return { expand: paths, run: (call) => declaration.run(call, params, { id, second }) };
    },
  };
}

/** The `object` a path's POST answers with: `/v1/checkout/sessions/:id/expire` gives `checkout.session`. */
function kindOf(path: string): string {
  const [collection = ''] = path.replace('/v1/', '').split('/:');
  return collection.replace('/', '.').slice(0, -1);
}
