import type { Call } from '../api/endpoint.js';
import { invalidRequest } from '../http/stripe-error.js';
import type { PaymentIntent } from './payment-intent.js';

interface Clause {
  negated: boolean;
  field: string;
  operator: ':' | '~' | '>' | '<' | '>=' | '<=';
  value: string;
}

const CLAUSE = /^(-?)(metadata\[(?:"[^"]+"|'[^']+')\]|[a-z_]+)\s*(:|~|>=|<=|>|<)\s*("[^"]*"|'[^']*'|null|[\w.-]+)$/;

/** Search in Stripe's query language, over clauses joined by AND or by OR. Source: https://docs.stripe.com/search#search-query-language */
export function searchPaymentIntents(call: Call, params: { limit: number | undefined; page: string | undefined; query: string }): object {
  const matches = parseQuery(params.query);
  const visibleUntil = call.at - call.world.temper.searchLagMs / 1000;
  const page = call.account.all('payment_intents').page({
    limit: Math.min(Math.max(params.limit ?? 10, 1), 100),
    startingAfter: params.page,
    filter: (intent) => intent.created <= visibleUntil && matches(intent),
  });
  if (page === undefined) throw invalidRequest('The page is invalid.', { param: 'page' });
  return {
    object: 'search_result',
    data: page.data,
    has_more: page.hasMore,
    next_page: page.hasMore ? (page.data.at(-1)?.id ?? null) : null,
    url: '/v1/payment_intents/search',
  };
}

function parseQuery(query: string): (intent: PaymentIntent) => boolean {
  const parts = query.trim().split(/\s+(AND|OR)\s+/i);
  const joints = new Set(parts.filter((_, index) => index % 2 === 1).map((joint) => joint.toUpperCase()));
  if (joints.size > 1) throw invalidRequest('A search query may not mix AND and OR.', { param: 'query' });
  const clauses = parts.filter((_, index) => index % 2 === 0).map(parseClause);
  return joints.has('OR')
    ? (intent) => clauses.some((clause) => clauseMatches(clause, intent))
    : (intent) => clauses.every((clause) => clauseMatches(clause, intent));
}

function parseClause(text: string): Clause {
  const [, minus, field = '', operator = '', value = ''] = CLAUSE.exec(text.trim()) ?? [];
  const known = field.startsWith('metadata[') || ['amount', 'created', 'currency', 'customer', 'status'].includes(field);
  if (!known) throw invalidRequest(`We were unable to parse your search query: ${text}`, { param: 'query' });
  return { negated: minus === '-', field, operator: operator as Clause['operator'], value };
}

function clauseMatches(clause: Clause, intent: PaymentIntent): boolean {
  return holds(clause, actualValue(clause.field, intent)) !== clause.negated;
}

function holds({ operator, value }: Clause, actual: string | number | null | undefined): boolean {
  if (value === 'null') return actual === undefined || actual === null;
  if (actual === undefined || actual === null) return false;
  const wanted = unquoted(value);
  switch (operator) {
    case ':':
      return String(actual).toLowerCase() === wanted.toLowerCase();
    case '~':
      return String(actual).toLowerCase().includes(wanted.toLowerCase());
    case '>':
      return Number(actual) > Number(wanted);
    case '<':
      return Number(actual) < Number(wanted);
    case '>=':
      return Number(actual) >= Number(wanted);
    case '<=':
      return Number(actual) <= Number(wanted);
  }
}

function actualValue(field: string, intent: PaymentIntent): string | number | null | undefined {
  if (field.startsWith('metadata[')) return intent.metadata[unquoted(field.slice('metadata['.length, -1))];
  switch (field) {
    case 'amount':
      return intent.amount;
    case 'created':
      return intent.created;
    case 'currency':
      return intent.currency;
    case 'customer':
      return intent.customer;
    default:
      return intent.status;
  }
}

function unquoted(text: string): string {
  return /^["'].*["']$/.test(text) ? text.slice(1, -1) : text;
}
