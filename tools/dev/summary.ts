import { relative } from 'node:path';
import { type DataFolder } from './data-folder.js';
import { DEMO_PRICE } from './demo-order.js';
import { type Plan } from './plan.js';
import { say, seconds, styled } from './terminal.js';

/** What the reader needs from here on: links, keys, a first request of their own. */
export function showSummary(plan: Plan, folder: DataFolder): void {
  const { apiUrl, simulatorUrl, config } = plan;
  const secretKey = config.development.secretKeys[0] ?? '';
  const link = (name: string, address: string, note = ''): string =>
    `  ${name.padEnd(13)}${styled('cyan', address)}${note && `   ${styled('dim', note)}`}`;
  say(
    '',
    ...(plan.stripe === 'live' ? [] : [link('Shop', `${apiUrl}/shop`, 'buy something: test cards, 3-D Secure, reload, offline')]),
    link('API docs', `${apiUrl}/docs`, 'every route with examples; /openapi.json'),
    link(
      'Health',
      `${apiUrl}/health/ready`,
      `/health/live, /health/backlog; the worker's: http://localhost:${plan.workerPort}/health/ready`,
    ),
    ...(simulatorUrl === null ? [] : [link('Stripe', `${simulatorUrl}/_sim`, 'the simulator: faults, webhooks, clock, journal')]),
    link('Logs', shown(folder.file('logs'))),
    '',
    `  secret key       ${secretKey}`,
    `  publishable key  ${config.development.publishableKeys[0] ?? ''}`,
    ...(simulatorUrl === null ? [] : [`  Stripe's key     ${config.stripe.secretKey}`]),
    '',
    ...(plan.stripe === 'live' ? [] : firstRequest(apiUrl, secretKey)),
    ...missingForStripe(plan),
    `  ready in ${seconds(performance.now())}. Ctrl-C stops everything; ${shown(folder.path)} keeps it for the next start.`,
  );
}

/** A path as short as it can be written from where the reader is. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function firstRequest(apiUrl: string, secretKey: string): string[] {
  const body = { currency: DEMO_PRICE.currency, items: [{ price: DEMO_PRICE.id, quantity: 2 }], paymentMethod: 'pm_card_visa' };
  return [
    '  Your turn; send it twice and look at the second answer:',
    '',
    `  curl -si ${apiUrl}/v1/orders -H 'Authorization: Bearer ${secretKey}' \\`,
    `    -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' \\`,
    `    -d '${JSON.stringify(body)}'`,
    '',
  ];
}

/** With a key of the reader's own, what does not work yet and how it would. */
function missingForStripe({ stripe, apiUrl, config }: Plan): string[] {
  if (stripe === 'simulator') return [];
  const lines: string[] = [];
  if (stripe === 'live')
    lines.push(`  ${styled('yellow', 'A LIVE Stripe key is in use:')} orders placed here move real money. No demo order was placed.`);
  if (config.stripe.webhookSecrets.length === 0) {
    lines.push(
      `  ${styled('yellow', 'Webhooks are off:')} STRIPE_WEBHOOK_SECRETS is not set. What Stripe reports by itself does not arrive. Run`,
      `    stripe listen --forward-to ${apiUrl.replace('http://', '')}/webhooks/stripe`,
      '  and start again with the whsec_... it prints as STRIPE_WEBHOOK_SECRETS.',
    );
  }
  if (config.stripe.publishableKey === null) {
    lines.push(
      `  ${styled('yellow', 'Browsers cannot pay yet:')} set STRIPE_PUBLISHABLE_KEY to the pk_${stripe}_... beside your secret key.`,
    );
  }
  return lines.length === 0 ? [] : [...lines, ''];
}
