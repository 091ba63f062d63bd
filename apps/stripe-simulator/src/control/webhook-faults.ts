import { newId } from '../core/ids.js';
import { seededRandom } from './seeded-random.js';

export type WebhookFaultAction =
  /** The same event again, `times` more. */
  | 'duplicate'
  /** A second event, with its own id, for the same fact. */
  | 'twin'
  /** `window` deliveries are held back and then sent in another order. */
  | 'reorder'
  /** Sent `ms` later. */
  | 'delay'
  /** Never sent; the event stays in the list of events, as not delivered. */
  | 'drop'
  /** Signed with a secret the receiver does not know. */
  | 'forge'
  /** Changed after it was signed. */
  | 'tamper'
  /** Signed properly, but `ageSeconds` ago. */
  | 'old_timestamp'
  /** Of another API version. */
  | 'wrong_version'
  /** A thin `v2.core.event` notification instead of the snapshot. */
  | 'thin';

export interface WebhookFaultRule {
  action: WebhookFaultAction;
  match: {
    /** An event type; `charge.*` stands for all that begin so. */
    type?: string;
    /** The account's id. */
    account?: string;
    /** The id of the event's object. */
    object?: string;
  };
  times?: number;
  window?: number;
  ms?: number;
  ageSeconds?: number;
  nth?: number[];
  probability?: number;
  seed?: number;
  count?: number;
}

export interface ArmedWebhookFault extends WebhookFaultRule {
  id: string;
  seen: number;
  struck: number;
}

interface Armed {
  fault: ArmedWebhookFault;
  random: () => number;
}

/** Faults of webhook delivery. They strike attempts, so an event whose attempt was spoilt may come through at the next. */
export class WebhookFaults {
  #armed: Armed[] = [];

  arm(rule: WebhookFaultRule): ArmedWebhookFault {
    const fault: ArmedWebhookFault = { id: newId('whfault'), ...rule, seen: 0, struck: 0 };
    this.#armed.push({ fault, random: seededRandom(rule.seed) });
    return fault;
  }

  list(): ArmedWebhookFault[] {
    return this.#armed.map(({ fault }) => fault);
  }

  disarm(id?: string): number {
    const before = this.#armed.length;
    this.#armed = id === undefined ? [] : this.#armed.filter(({ fault }) => fault.id !== id);
    return before - this.#armed.length;
  }

  strike(target: { type: string; account: string; object: string }): { fault: ArmedWebhookFault; random: () => number } | undefined {
    let struck: Armed | undefined;
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (!matches(fault.match, target)) continue;
      fault.seen++;
      if (struck === undefined && isDue(armed)) {
        fault.struck++;
        struck = armed;
      }
    }
    return struck;
  }
}

function matches(match: WebhookFaultRule['match'], target: { type: string; account: string; object: string }): boolean {
  return (
    (match.type === undefined ||
      match.type === target.type ||
      (match.type.endsWith('*') && target.type.startsWith(match.type.slice(0, -1)))) &&
    (match.account === undefined || match.account === target.account) &&
    (match.object === undefined || match.object === target.object)
  );
}

function isDue({ fault, random }: Armed): boolean {
  if (fault.count !== undefined && fault.struck >= fault.count) return false;
  if (fault.nth !== undefined && !fault.nth.includes(fault.seen)) return false;
  return fault.probability === undefined || random() < fault.probability;
}
