import { newId } from '../core/ids.js';
import { seededRandom } from './seeded-random.js';

/** Where in the life of a request a fault strikes. */
export type FaultPhase =
  /** Nothing was done. */
  | 'before'
  /** All was done, stored and told by webhook; only the answer suffers. */
  | 'after'
  /** As after, with the answer's head and half of its body already sent. */
  | 'body';

export type FaultAction =
  | 'delay'
  | 'hang'
  | 'reset'
  | 'truncate'
  | 'html'
  | 'json'
  | 'garbage'
  | 'unauthorized'
  | 'forbidden'
  | 'conflict'
  | 'rate_limit'
  | 'lock_timeout'
  | 'error';

export interface FaultMatch {
  method?: string;
  /** A path with `:id` or `*` for one segment, and `**` at its end for all the rest. */
  path?: string;
  /** The account's id. */
  account?: string;
  /** An idempotency key; `*` stands for any characters. */
  key?: string;
}

export interface FaultTiming {
  /** Which of the matching requests are struck, counted from 1. */
  nth?: number[];
  probability?: number;
  /** Makes `probability` repeatable. */
  seed?: number;
  /** How often it strikes at most. */
  count?: number;
  /** Of every `every` matching requests the first `size` are struck. */
  burst?: { size: number; every: number };
  /** It is over this long after it was set, in real time. */
  forMs?: number;
}

export interface FaultEffect {
  phase: FaultPhase;
  action: FaultAction;
  /** Of a delay; or after which a hang ends with a reset. */
  ms?: number;
  status?: number;
  /** Whether an `error` is kept under the idempotency key, as Stripe keeps a 500. */
  stored?: boolean;
  headers?: Record<string, string>;
  body?: string;
  /** The value of `Stripe-Rate-Limited-Reason` of a 429; empty for a 429 without it. */
  reason?: string;
  retryAfterSeconds?: number;
}

export interface FaultRule extends FaultTiming, FaultEffect {
  match: FaultMatch;
}

export interface ArmedFault extends FaultRule {
  id: string;
  /** How many requests matched, and how many of those were struck. */
  seen: number;
  struck: number;
}

export interface FaultTarget {
  method: string;
  path: string;
  account: string | undefined;
  key: string | undefined;
}

interface Armed {
  fault: ArmedFault;
  random: () => number;
  overAt: number;
}

/** The faults that are set, in order; the first that applies to a request strikes it. */
export class Faults {
  #armed: Armed[] = [];

  arm(rule: FaultRule): ArmedFault {
    const fault: ArmedFault = { id: newId('fault'), ...rule, seen: 0, struck: 0 };
    const overAt = rule.forMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + rule.forMs;
    this.#armed.push({ fault, random: seededRandom(rule.seed), overAt });
    return fault;
  }

  list(): ArmedFault[] {
    return this.#armed.map(({ fault }) => fault);
  }

  /** Takes one away, or all; answers how many. */
  disarm(id?: string): number {
    const before = this.#armed.length;
    this.#armed = id === undefined ? [] : this.#armed.filter(({ fault }) => fault.id !== id);
    return before - this.#armed.length;
  }

  /** Every rule counts every request it matches; the first due one strikes. */
  strike(target: FaultTarget): ArmedFault | undefined {
    let struck: ArmedFault | undefined;
    for (const armed of this.#armed) {
      if (!matches(armed.fault.match, target)) continue;
      armed.fault.seen++;
      if (struck === undefined && isDue(armed)) {
        armed.fault.struck++;
        struck = armed.fault;
      }
    }
    return struck;
  }
}

function matches(match: FaultMatch, target: FaultTarget): boolean {
  return (
    (match.method === undefined || match.method === target.method) &&
    (match.path === undefined || pathMatches(match.path, target.path)) &&
    (match.account === undefined || match.account === target.account) &&
    (match.key === undefined || (target.key !== undefined && keyMatches(match.key, target.key)))
  );
}

function isDue({ fault, random, overAt }: Armed): boolean {
  if (Date.now() > overAt) return false;
  if (fault.count !== undefined && fault.struck >= fault.count) return false;
  if (fault.nth !== undefined && !fault.nth.includes(fault.seen)) return false;
  if (fault.burst !== undefined && (fault.seen - 1) % fault.burst.every >= fault.burst.size) return false;
  return fault.probability === undefined || random() < fault.probability;
}

function pathMatches(pattern: string, path: string): boolean {
  const open = pattern.endsWith('/**');
  const expected = (open ? pattern.slice(0, -3) : pattern).split('/');
  const actual = path.split('/');
  if (open ? actual.length < expected.length : actual.length !== expected.length) return false;
  return expected.every((segment, index) => segment === '*' || segment.startsWith(':') || segment === actual[index]);
}

function keyMatches(pattern: string, key: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(key);
}
