import { accountNameOf } from '../api/authentication.js';
import { accountIdOf } from '../core/account.js';
import {
  asObject,
  ControlError,
  type ControlInput,
  optionalFlag,
  optionalNumber,
  optionalNumbers,
  optionalText,
  bareWord,
  renamed,
  refuseUnknownNames,
} from './control-input.js';
import type { FaultAction, FaultEffect, FaultMatch, FaultPhase, FaultRule, FaultTiming } from './faults.js';

const MATCH_NAMES = ['route', 'method', 'path', 'account', 'key'];
const TIMING_NAMES = ['nth', 'probability', 'seed', 'count', 'burst', 'forMs'];
const EFFECT_NAMES = ['phase', 'action', 'ms', 'status', 'stored', 'headers', 'body', 'reason', 'retryAfterSeconds'];

/** Other words for the same action, in letters and digits only, and what they imply. */
const ACTIONS: Readonly<Record<string, Partial<FaultEffect> & { action: FaultAction; burstOf?: number }>> = {
  delay: { action: 'delay' },
  hang: { action: 'hang' },
  timeout: { action: 'hang' },
  reset: { action: 'reset' },
  connectionreset: { action: 'reset' },
  truncate: { action: 'truncate' },
  html: { action: 'html' },
  json: { action: 'json' },
  jsonwithouterror: { action: 'json' },
  garbage: { action: 'garbage' },
  unauthorized: { action: 'unauthorized' },
  '401': { action: 'unauthorized' },
  forbidden: { action: 'forbidden' },
  '403': { action: 'forbidden' },
  conflict: { action: 'conflict' },
  keyinuse: { action: 'conflict' },
  idempotencykeyinuse: { action: 'conflict' },
  '409': { action: 'conflict' },
  ratelimit: { action: 'rate_limit' },
  ratelimited: { action: 'rate_limit' },
  '429': { action: 'rate_limit' },
  burst: { action: 'rate_limit', burstOf: 10 },
  locktimeout: { action: 'lock_timeout' },
  error: { action: 'error' },
  status: { action: 'error' },
  '500': { action: 'error', status: 500 },
  '500stored': { action: 'error', status: 500, stored: true },
  stored500: { action: 'error', status: 500, stored: true },
};

/** Other names callers are likely to use. */
const ALIASES: Readonly<Record<string, string>> = {
  type: 'action',
  kind: 'action',
  fault: 'action',
  times: 'count',
  delayMs: 'ms',
  idempotencyKey: 'key',
};

const PHASES: Readonly<Record<string, FaultPhase>> = {
  before: 'before',
  beforeeffect: 'before',
  after: 'after',
  aftereffect: 'after',
  body: 'body',
  duringbody: 'body',
};

/** Reads a fault as `POST /_sim/faults` takes it: the names of its match may stand in `match` or beside the rest. */
export function faultFrom(input: ControlInput): FaultRule {
  const { match: nested, ...own } = input;
  const flat = renamed({ ...(nested === undefined ? {} : asObject(nested)), ...own }, ALIASES);
  refuseUnknownNames(flat, [...MATCH_NAMES, ...TIMING_NAMES, ...EFFECT_NAMES]);
  const word = bareWord(optionalText(flat, 'action') ?? '');
  const named = ACTIONS[word] ?? errorOfStatus(word);
  if (named === undefined) throw new ControlError(`action must be one of: ${Object.keys(ACTIONS).join(', ')}, or the status of an error.`);
  const { burstOf, ...implied } = named;
  return { match: matchFrom(flat), ...timingFrom(flat, burstOf), ...implied, ...effectFrom(flat, implied.action) };
}

function errorOfStatus(word: string): { action: 'error'; status: number; burstOf?: undefined } | undefined {
  return /^[45]\d\d$/.test(word) ? { action: 'error', status: Number(word) } : undefined;
}

export function accountIdFrom(input: ControlInput): string | undefined {
  const account = optionalText(input, 'account');
  if (account === undefined) return undefined;
  return account.startsWith('acct_') ? account : accountIdOf(accountNameOf(account));
}

function matchFrom(input: ControlInput): FaultMatch {
  const route = optionalText(input, 'route')?.trim() ?? '';
  const [, routeMethod, routePath] = /^(?:([A-Za-z]+)\s+)?(\/\S*)?$/.exec(route) ?? [];
  if (route !== '' && routePath === undefined)
    throw new ControlError('route must be like "POST /v1/payment_intents" or "/v1/refunds/:id".');
  const method = optionalText(input, 'method') ?? routeMethod;
  const path = optionalText(input, 'path') ?? routePath;
  const account = accountIdFrom(input);
  const key = optionalText(input, 'key');
  return {
    ...(method === undefined || method === '*' ? {} : { method: method.toUpperCase() }),
    ...(path === undefined ? {} : { path: path.replaceAll(/\{\w+\}/g, '*') }),
    ...(account === undefined ? {} : { account }),
    ...(key === undefined ? {} : { key }),
  };
}

function timingFrom(input: ControlInput, burstOf: number | undefined): FaultTiming {
  const nth = optionalNumbers(input, 'nth');
  const probability = optionalNumber(input, 'probability');
  const seed = optionalNumber(input, 'seed');
  const count = optionalNumber(input, 'count') ?? burstOf;
  const forMs = optionalNumber(input, 'forMs');
  return {
    ...(nth === undefined ? {} : { nth }),
    ...(probability === undefined ? {} : { probability }),
    ...(seed === undefined ? {} : { seed }),
    ...(count === undefined ? {} : { count }),
    ...(forMs === undefined ? {} : { forMs }),
    ...(input['burst'] === undefined ? {} : { burst: burstFrom(input['burst']) }),
  };
}

function burstFrom(value: unknown): { size: number; every: number } {
  const burst = asObject(value);
  refuseUnknownNames(burst, ['size', 'every']);
  const size = optionalNumber(burst, 'size');
  const every = optionalNumber(burst, 'every');
  if (size === undefined || every === undefined || size < 1 || every < size)
    throw new ControlError('burst must be like {"size": 5, "every": 20}.');
  return { size, every };
}

function effectFrom(input: ControlInput, action: FaultAction): Omit<FaultEffect, 'action'> {
  const phase = phaseFrom(input, action);
  const ms = optionalNumber(input, 'ms');
  const status = optionalNumber(input, 'status');
  const stored = optionalFlag(input, 'stored');
  const body = bodyFrom(input['body']);
  const reason = optionalText(input, 'reason');
  const retryAfterSeconds = optionalNumber(input, 'retryAfterSeconds');
  if (action === 'delay' && ms === undefined) throw new ControlError('A delay needs ms.');
  return {
    phase,
    ...(ms === undefined ? {} : { ms }),
    ...(status === undefined ? {} : { status }),
    ...(stored === undefined ? {} : { stored }),
    ...(body === undefined ? {} : { body }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(input['headers'] === undefined ? {} : { headers: textValues(input['headers']) }),
  };
}

function phaseFrom(input: ControlInput, action: FaultAction): FaultPhase {
  // A cut answer is one that was on its way, unless the caller says otherwise.
  const phase = PHASES[bareWord(optionalText(input, 'phase') ?? (action === 'truncate' ? 'body' : 'before'))];
  if (phase === undefined) throw new ControlError('phase must be "before", "after" or "body".');
  return phase;
}

/** A text is sent as it is; anything else is what JSON is to say. */
function bodyFrom(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

function textValues(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asObject(value)).map(([name, item]) => [name, String(item)]));
}
