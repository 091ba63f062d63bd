import type { Account, HoldingName } from '../core/account.js';
import { findCustomer } from '../customers/find-customer.js';
import { invalidRequest } from './stripe-error.js';

/** Stripe's own limit. */
const DEPTH_MAX = 4;

/** For each object: its fields that hold an id, and where that id leads; `null` where the simulator never has one. */
const EXPANDABLE: Readonly<Record<string, Readonly<Record<string, HoldingName | null>>>> = {
  balance_transaction: { source: null },
  charge: {
    application: null,
    application_fee: null,
    balance_transaction: 'balance_transactions',
    customer: 'customers',
    failure_balance_transaction: 'balance_transactions',
    on_behalf_of: null,
    payment_intent: 'payment_intents',
    refunds: null,
    review: null,
    source_transfer: null,
    transfer: null,
  },
  'checkout.session': {
    customer: 'customers',
    invoice: null,
    line_items: null,
    payment_intent: 'payment_intents',
    payment_link: null,
    setup_intent: null,
    subscription: null,
  },
  customer: {
    cash_balance: null,
    default_source: null,
    sources: null,
    subscriptions: null,
    tax: null,
    tax_ids: null,
    test_clock: null,
  },
  dispute: { charge: 'charges', payment_intent: 'payment_intents' },
  payment_intent: {
    application: null,
    customer: 'customers',
    latest_charge: 'charges',
    on_behalf_of: null,
    payment_method: 'payment_methods',
    payment_record: null,
    review: null,
    source: null,
  },
  payment_method: { customer: 'customers' },
  setup_intent: {
    application: null,
    customer: 'customers',
    latest_attempt: null,
    mandate: null,
    on_behalf_of: null,
    payment_method: 'payment_methods',
    single_use_mandate: null,
  },
  refund: {
    balance_transaction: 'balance_transactions',
    charge: 'charges',
    customer: 'customers',
    failure_balance_transaction: 'balance_transactions',
    payment_intent: 'payment_intents',
    payment_method: 'payment_methods',
    source_transfer_reversal: null,
    transfer_reversal: null,
  },
};

/** Refuses, before anything is done, to expand what an object of this kind does not have. */
export function refuseUnexpandable(kind: string, paths: readonly string[] | undefined): void {
  for (const path of paths ?? []) {
    let at: string | undefined = kind;
    for (const field of stepsOf(path)) {
      const expandable: Readonly<Record<string, HoldingName | null>> | undefined = at === undefined ? undefined : EXPANDABLE[at];
      if (at !== undefined && (expandable === undefined || !Object.hasOwn(expandable, field))) throw unexpandable(path, kind);
      // Behind a field the simulator never fills, everything may be asked for: there is nothing there.
      const holding: HoldingName | null = expandable?.[field] ?? null;
      at = holding === null ? undefined : holding.slice(0, -1);
    }
  }
}

/** The answer with the objects the caller asked for in place of their ids. The kept objects stay as they are. */
export function expand(account: Account, answer: object, paths: readonly string[] | undefined): object {
  if (paths === undefined) return answer;
  return paths.reduce<object>((expanded, path) => {
    return expandPath(account, expanded, stepsOf(path), path);
  }, answer);
}

function stepsOf(path: string): string[] {
  const steps = path.split('.');
  if (steps.length <= DEPTH_MAX) return steps;
  throw invalidRequest(`You cannot expand more than ${DEPTH_MAX} levels of a property. Property: ${path}`, {
    param: 'expand',
    kept: false,
  });
}

function expandPath(account: Account, target: object, steps: readonly string[], path: string): object {
  const [field, ...rest] = steps;
  if (field === undefined) return target;
  const value: unknown = Reflect.get(target, field);
  const kind: unknown = Reflect.get(target, 'object');
  if ((kind === 'list' || kind === 'search_result') && field === 'data' && Array.isArray(value)) {
    return { ...target, data: value.map((item: object) => expandPath(account, item, rest, path)) };
  }
  const expandable = EXPANDABLE[String(kind)];
  const reachable = expandable !== undefined && Object.hasOwn(expandable, field);
  if (typeof value === 'object' && value !== null && (reachable || rest.length > 0)) {
    return { ...target, [field]: expandPath(account, value, rest, path) };
  }
  if (!reachable) throw unexpandable(path, kind);
  if (typeof value !== 'string') return { ...target, ...derived(account, target, field) };
  const found = referenced(account, expandable[field] ?? null, value);
  return found === undefined ? target : { ...target, [field]: expandPath(account, found, rest, path) };
}

function referenced(account: Account, holding: HoldingName | null, id: string): object | undefined {
  if (holding === 'customers') return findCustomer(account, id);
  if (holding !== null) return account.find(holding, id);
  // A balance transaction's source may be of several kinds; the id's prefix tells.
  if (id.startsWith('ch_')) return account.find('charges', id);
  if (id.startsWith('re_')) return account.find('refunds', id);
  return id.startsWith('du_') ? account.find('disputes', id) : undefined;
}

/** Lists that an object shows only when asked for. */
function derived(account: Account, target: object, field: string): object {
  const id: unknown = Reflect.get(target, 'id');
  const kind: unknown = Reflect.get(target, 'object');
  if (kind === 'charge' && field === 'refunds' && typeof id === 'string') {
    const page = account
      .all('refunds')
      .page({ limit: 10, where: { field: 'charge', value: id }, filter: (refund) => refund.charge === id });
    return { refunds: { object: 'list', data: page?.data ?? [], has_more: page?.hasMore ?? false, url: `/v1/charges/${id}/refunds` } };
  }
  if (kind === 'checkout.session' && field === 'line_items' && typeof id === 'string') {
    const data = account.find('checkout_session_secrets', id)?.lineItems ?? [];
    return {
      line_items: { object: 'list', data: data.slice(0, 10), has_more: data.length > 10, url: `/v1/checkout/sessions/${id}/line_items` },
    };
  }
  return {};
}

function unexpandable(path: string, kind: unknown): Error {
  const hint = kind === 'list' ? ` You may want to try expanding 'data.${path}' instead.` : '';
  return invalidRequest(`This property cannot be expanded (${path}).${hint}`, { param: 'expand', kept: false });
}
