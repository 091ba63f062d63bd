import { deepStrictEqual, ok } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { it } from 'node:test';
import ts = require('typescript');
import { errorOf, simulate } from './harness.js';

const sim = await simulate();
const declarations = path.join(path.dirname(createRequire(import.meta.url).resolve('stripe')), '../esm');

/** Every call of the simulator that takes parameters, with the file and the interface that declare them in the client. */
const CALLS = {
  'POST /v1/payment_intents': 'PaymentIntents PaymentIntentCreateParams',
  'GET /v1/payment_intents': 'PaymentIntents PaymentIntentListParams',
  'GET /v1/payment_intents/search': 'PaymentIntents PaymentIntentSearchParams',
  'GET /v1/payment_intents/x': 'PaymentIntents PaymentIntentRetrieveParams',
  'POST /v1/payment_intents/x': 'PaymentIntents PaymentIntentUpdateParams',
  'POST /v1/payment_intents/x/confirm': 'PaymentIntents PaymentIntentConfirmParams',
  'POST /v1/payment_intents/x/capture': 'PaymentIntents PaymentIntentCaptureParams',
  'POST /v1/payment_intents/x/cancel': 'PaymentIntents PaymentIntentCancelParams',
  'GET /v1/charges': 'Charges ChargeListParams',
  'POST /v1/charges/x': 'Charges ChargeUpdateParams',
  'POST /v1/refunds': 'Refunds RefundCreateParams',
  'GET /v1/refunds': 'Refunds RefundListParams',
  'POST /v1/refunds/x': 'Refunds RefundUpdateParams',
  'GET /v1/events': 'Events EventListParams',
  'POST /v1/webhook_endpoints': 'WebhookEndpoints WebhookEndpointCreateParams',
  'POST /v1/webhook_endpoints/x': 'WebhookEndpoints WebhookEndpointUpdateParams',
  'POST /v1/customers': 'Customers CustomerCreateParams',
  'POST /v1/customers/x': 'Customers CustomerUpdateParams',
  'GET /v1/customers': 'Customers CustomerListParams',
  'GET /v1/customers/x/payment_methods': 'Customers CustomerListPaymentMethodsParams',
  'GET /v1/payment_methods': 'PaymentMethods PaymentMethodListParams',
  'POST /v1/payment_methods/x/attach': 'PaymentMethods PaymentMethodAttachParams',
  'POST /v1/setup_intents': 'SetupIntents SetupIntentCreateParams',
  'GET /v1/setup_intents': 'SetupIntents SetupIntentListParams',
  'POST /v1/setup_intents/x/confirm': 'SetupIntents SetupIntentConfirmParams',
  'POST /v1/setup_intents/x/cancel': 'SetupIntents SetupIntentCancelParams',
  'POST /v1/checkout/sessions': 'Checkout/Sessions SessionCreateParams',
  'GET /v1/checkout/sessions': 'Checkout/Sessions SessionListParams',
  'GET /v1/checkout/sessions/x/line_items': 'Checkout/Sessions SessionListLineItemsParams',
  'POST /v1/disputes/x': 'Disputes DisputeUpdateParams',
  'GET /v1/disputes': 'Disputes DisputeListParams',
  'GET /v1/balance_transactions': 'BalanceTransactions BalanceTransactionListParams',
};

const PAGING = ['ending_before', 'limit', 'starting_after'];

function declaredNames(declaration: string): string[] {
  const [file = '', name = ''] = declaration.split(' ');
  const text = readFileSync(path.join(declarations, `resources/${file}.d.ts`), 'utf8');
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) && node.name.text === name) {
      for (const member of node.members) if (member.name !== undefined && ts.isIdentifier(member.name)) names.push(member.name.text);
      if (node.heritageClauses !== undefined) names.push(...PAGING);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2023));
  return names;
}

it('no parameter the pinned client declares is unknown to the simulator', async () => {
  const unknown: string[] = [];
  for (const [call, declaration] of Object.entries(CALLS)) {
    const [method = '', route = ''] = call.split(' ');
    const names = declaredNames(declaration);
    ok(names.includes('expand'), `${declaration} was not found`);
    for (const name of names) {
      const answer = method === 'GET' ? await sim.api(method, `${route}?${name}=x`) : await sim.api(method, route, `${name}=x`);
      if (errorOf(answer)['code'] === 'parameter_unknown') unknown.push(`${call} ${name}`);
    }
  }
  deepStrictEqual(unknown, []);
});
