import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { money, receiptOf } from '../../clients/checkout-page/src/receipt.js';
import { type OrderStatus } from '../../clients/typescript/src/index.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { type OrderJson, PUBLISHABLE_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const CHROMIUM = process.env['ONCEPAY_TEST_CHROMIUM'];
/** Set by `npm run screenshots`: what is tested is what is pictured. */
const PICTURES = process.env['SCREENSHOTS_FOLDER'];
/** A browser on a machine that does other things too. */
const PATIENCE_MS = 60_000;

describe('the receipt', () => {
  const [all, some] = [money(4_900, 'eur'), money(900, 'eur')];
  const told: Readonly<Record<OrderStatus, readonly [captured: number, refunded: number, text: string]>> = {
    pending: [0, 0, 'Whether the payment succeeds is not known yet. Look again later, and do not pay twice.'],
    processing: [0, 0, 'Whether the payment succeeds is not known yet. Look again later, and do not pay twice.'],
    requires_payment: [0, 0, 'Nothing was charged yet.'],
    requires_action: [0, 0, 'Nothing was charged yet.'],
    authorized: [0, 0, `${all} are reserved on your card, and not charged yet.`],
    paid: [4_900, 0, `You paid ${all}, once.`],
    partially_refunded: [4_900, 900, `You paid ${all}, and ${some} of it were returned to you.`],
    refunded: [900, 900, `You paid ${some}, and all of it was returned to you.`],
    canceled: [0, 0, 'Nothing was charged. Start again whenever you like.'],
    expired: [0, 0, 'Nothing was charged. Start again whenever you like.'],
    failed: [0, 0, 'Nothing was charged. Start again whenever you like.'],
  };
  for (const [status, [amountCaptured, amountRefunded, text]] of Object.entries(told)) {
    it(`of an order that is ${status} says what is true of the money`, () => {
      const receipt = receiptOf({ status: status as OrderStatus, amount: 4_900, amountCaptured, amountRefunded, currency: 'eur' });
      assert.deepEqual([receipt.text, receipt.isGood], [text, status === 'paid' || status === 'authorized']);
    });
  }
});

describe('the checkout page', { skip: CHROMIUM === undefined && 'no Chromium was found' }, () => {
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  const violations: string[] = [];

  before(async () => {
    stack = await startStack({ forBrowsers: true });
    const goods = [['tshirt', 'T-shirt', 2_000], ['mug', 'Mug', 900], ['poster', 'Poster', 1_450]] as const; // prettier-ignore
    for (const [id, name, unitAmount] of goods)
      await stack.call(`/v1/prices/${id}`, { method: 'PUT', body: { name, unitAmount, currency: 'eur' } });
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
    context = await browser.newContext({ viewport: { width: 960, height: 640 }, locale: 'en-GB' });
    context.setDefaultTimeout(PATIENCE_MS);
    // Keeps the window open: to open one takes Chromium as long as all else of a visit.
    await context.newPage();
  });
  afterEach(async () => {
    await context.setOffline(false);
    for (const page of context.pages().slice(1)) await page.close();
  });
  after(async () => {
    await browser?.close();
    await stack?.close();
  });

  /** A buyer of their own: with an email that no other has, in a tab of a browser that remembers nothing. */
  async function visit(url = stack.apiUrl, dark = false): Promise<{ page: Page; email: string }> {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: url, storageTypes: 'all' });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) violations.push(message.text());
    });
    await page.goto(`${url}/shop`);
    return { page, email: `ada-${crypto.randomUUID().slice(0, 8)}@example.com` };
  }

  const payButton = (page: Page) => page.getByRole('button', { name: /^Pay( |$)/ });
  const alert = (page: Page) => page.getByRole('alert');
  const thanks = (page: Page) => page.getByRole('heading', { name: 'Thank you' });

  async function bought(page: Page): Promise<void> {
    await thanks(page).or(alert(page)).waitFor();
    if (!(await thanks(page).isVisible())) assert.fail((await alert(page).textContent()) ?? '');
  }

  async function fill(page: Page, email: string, card = 'Visa'): Promise<void> {
    await page.getByRole('button', { name: 'One more Mug' }).click();
    await page.getByLabel('Quantity of T-shirt').fill('2');
    await page.getByLabel('Email').fill(email);
    if (card !== '') await page.getByRole('button', { name: card }).click();
  }

  async function ordersOf(email: string): Promise<readonly OrderJson[]> {
    const { data } = JSON.parse((await stack.call('/v1/orders?limit=100')).text);
    return data.filter(({ customer }: { customer: { email: string } | null }) => customer?.email === email);
  }

  async function assertPaidOnce(email: string): Promise<void> {
    const orders = await ordersOf(email);
    assert.deepEqual(orders.map(({ status, amountCaptured }) => [status, amountCaptured]), [['paid', 4_900]]); // prettier-ignore
    const charges = await stack.stripe.charges.list({ payment_intent: orders[0]?.payment.stripePaymentIntentId ?? '' });
    assert.equal(charges.data.filter(({ status }) => status === 'succeeded').length, 1);
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  it('sells once at a double click, and shows the receipt again after a reload', async () => {
    const { page, email } = await visit();
    await fill(page, email);
    await picture(page, 'choose');
    await payButton(page).dblclick();
    await bought(page);
    await assertPaidOnce(email);
    await page.reload();
    await bought(page);
    await page.getByRole('button', { name: 'Back to the shop' }).click();
    await fill(page, email);
    await payButton(page).click();
    await bought(page);
    assert.equal((await ordersOf(email)).length, 2);
  });

  it('is used by keyboard alone, and says what is missing', async () => {
    const { page, email } = await visit();
    await page.getByLabel('Quantity of T-shirt').focus();
    for (const _ of [1, 2]) await page.keyboard.press('ArrowUp');
    await payButton(page).focus();
    await page.keyboard.press('Enter');
    assert.equal(await alert(page).textContent({ timeout: PATIENCE_MS }), 'Enter your email address.');
    await page.getByLabel('Email').focus();
    await page.keyboard.type(email);
    await page.keyboard.press('Enter');
    await bought(page);
    assert.equal((await ordersOf(email)).length, 1);
  });

  it('says why a card was declined, and takes another for the same order', async () => {
    const { page, email } = await visit();
    await fill(page, email, 'Declined');
    await payButton(page).click();
    await alert(page).waitFor();
    assert.equal(await alert(page).textContent(), 'Your card was declined.');
    await picture(page, 'declined');
    await page.getByRole('button', { name: 'Visa' }).click();
    await payButton(page).click();
    await bought(page);
    await assertPaidOnce(email);
  });

  it('sends the buyer to the bank and back, whether it says no or yes', async () => {
    const { page, email } = await visit(stack.apiUrl, true);
    await fill(page, email, '3-D Secure');
    await payButton(page).click();
    await page.getByRole('button', { name: 'Fail' }).click();
    await alert(page).waitFor();
    assert.match((await alert(page).textContent()) ?? '', /Your bank did not confirm/);
    assert.equal(new URL(page.url()).search, '');

    await page.getByRole('button', { name: '3-D Secure' }).click();
    await payButton(page).click();
    await page.getByRole('button', { name: 'Complete' }).click();
    await bought(page);
    await picture(page, 'paid');
    await assertPaidOnce(email);
  });

  it('goes on after a reload in the middle, with the same order', async () => {
    const { page, email } = await visit();
    await stack.stopWorker();
    await fill(page, email);
    await payButton(page).click();
    await waitFor('the order', async () => (await ordersOf(email)).length === 1);
    await page.reload();
    await page.getByText('your order is looked up').waitFor();
    await stack.startWorker();
    await waitFor('the shop to be ready', () => payButton(page).isEnabled());
    assert.deepEqual([await payButton(page).textContent(), await page.getByLabel('Email').inputValue()], ['Pay €49.00', email]);
    await payButton(page).click();
    await bought(page);
    await assertPaidOnce(email);
  });

  it('waits while the buyer is offline, and goes on by itself', async () => {
    const { page, email } = await visit();
    await fill(page, email);
    await context.setOffline(true);
    await page.getByText('You are offline').waitFor();
    await payButton(page).click();
    await page.getByText('Placing your order').waitFor();
    await context.setOffline(false);
    await bought(page);
    await assertPaidOnce(email);
  });

  it('makes one order of two tabs that buy the same at the same time, and takes no secret key', async () => {
    const { page, email } = await visit();
    const tabs = [page, await context.newPage()];
    await tabs[1]?.goto(`${stack.apiUrl}/shop`);
    const script = `import('/shop/modules/typescript/src/index.js').then(async ({ Oncepay }) => {
      const oncepay = new Oncepay({ baseUrl: location.origin, apiKey: ${JSON.stringify(PUBLISHABLE_KEYS[0])} });
      const request = { currency: 'eur', items: [{ price: 'mug', quantity: 1 }], customer: { email: '${email}' } };
      const carts = Array.from({ length: 20 }, (_, cart) => oncepay.checkout(request, { name: 'cart-' + cart }));
      return (await Promise.all(carts)).map(({ order }) => order.id);
    })`;
    const [ids, others] = await Promise.all(tabs.map((tab) => tab.evaluate<string[]>(script)));
    assert.deepEqual(ids, others);
    assert.equal((await ordersOf(email)).length, 20);
    const secret = `import('/shop/modules/typescript/src/index.js').then(({ Oncepay }) => new Oncepay({ baseUrl: '', apiKey: 'oncepay_sk_test_1' }))`;
    await assert.rejects(page.evaluate(secret), /secret key must never reach a browser/);
  });

  it('sells once also where the browser keeps nothing for a page', async () => {
    const { page, email } = await visit();
    await page.addInitScript(
      `Object.defineProperty(window, 'indexedDB', { get: () => { throw new DOMException('no', 'SecurityError'); } })`,
    );
    await page.reload();
    await fill(page, email);
    await payButton(page).dblclick();
    await bought(page);
    await assertPaidOnce(email);
  });

  it('runs under a policy that allows only what it needs', () => {
    assert.deepEqual(violations, []);
  });

  describe('with a Stripe account', () => {
    let api: ApiAlone;
    before(async () => {
      api = await startApiAlone(stack.database.url, { STRIPE_PUBLISHABLE_KEY: stack.stripeKey.replace('sk_', 'pk_') });
      // The network's part: Stripe.js is a script that calls Stripe's API, and behind Stripe's address is the simulator.
      await context.route('https://js.stripe.com/v3/', (route) => route.fulfill({ contentType: 'text/javascript', body: STRIPE_JS }));
      await context.route('https://api.stripe.com/**', async (route) => {
        const address = route.request().url().replace('https://api.stripe.com', stack.simulatorUrl);
        await route.fulfill({ response: await route.fetch({ url: address }) });
      });
    });
    after(() => api.close());

    async function visitWithStripe(): ReturnType<typeof visit> {
      const visitor = await visit(api.url);
      await visitor.page.getByText('fields of Stripe').waitFor();
      return visitor;
    }

    it('loads Stripe.js from Stripe and lets it take the payment', async () => {
      const { page, email } = await visitWithStripe();
      await fill(page, email, '');
      await payButton(page).click();
      await bought(page);
      await assertPaidOnce(email);
    });

    it('begins an authentication anew when the page was left in the middle of it', async () => {
      const { page, email } = await visitWithStripe();
      await page.evaluate(`sessionStorage.setItem('card', 'pm_card_threeDSecure2Required')`);
      await fill(page, email, '');
      await payButton(page).click();
      await waitFor('the authentication', async () => (await ordersOf(email))[0]?.status === 'requires_action');
      await page.reload();
      await bought(page);
      await assertPaidOnce(email);
    });
  });

  it('is not served without a development key, as in production', async () => {
    const api = await startApiAlone(stack.database.url, { ONCEPAY_DEV_PUBLISHABLE_KEY: '' });
    for (const path of ['/shop', '/shop/page.css', '/shop/modules/typescript/src/index.js']) {
      assert.deepEqual([(await api.call(path)).status, (await stack.call(path)).status], [404, 200]);
    }
    for (const path of ['typescript/src/%2e%2e%2findex.js', 'constructor/src/index.js', 'typescript/src/none.js']) {
      assert.equal((await stack.call(`/shop/modules/${path}`)).status, 404);
    }
    await api.close();
  });
});

/**
 * Does what the page asks of Stripe.js, by Stripe's API; the contract is in stripe-card.ts. An authentication is a dialog that stays open
 * until the page ends; begun again, the buyer completes it.
 */
const STRIPE_JS = `
window.Stripe = (key) => {
  const addressOf = (clientSecret) => 'https://api.stripe.com/v1/payment_intents/' + clientSecret.split('_secret_')[0];
  const intentOf = async (clientSecret) =>
    (await fetch(addressOf(clientSecret) + '?' + new URLSearchParams({ key, client_secret: clientSecret }))).json();
  return {
    elements: ({ mode, amount, currency }) => {
      if (mode !== 'payment' || !(amount > 0) || currency !== 'eur') throw new Error('wrong options');
      return { create: () => ({ mount: (into) => into.append('fields of Stripe') }), update: () => {}, submit: async () => ({}) };
    },
    confirmPayment: async ({ clientSecret, confirmParams }) => {
      const card = sessionStorage.getItem('card') ?? 'pm_card_visa';
      const body = new URLSearchParams({ key, client_secret: clientSecret, payment_method: card, return_url: confirmParams.return_url });
      const paymentIntent = await (await fetch(addressOf(clientSecret) + '/confirm', { method: 'POST', body })).json();
      return paymentIntent.status === 'requires_action' ? new Promise(() => {}) : { paymentIntent };
    },
    retrievePaymentIntent: async (clientSecret) => ({ paymentIntent: await intentOf(clientSecret) }),
    handleNextAction: async ({ clientSecret }) => {
      const url = addressOf(clientSecret).replace('/v1/', '/_sim/') + '/next_action';
      await fetch(url, { method: 'POST', mode: 'no-cors', body: JSON.stringify({ outcome: 'succeeded' }) });
      return { paymentIntent: await intentOf(clientSecret) };
    },
  };
};
`;
