import type { Act } from '../core/act.js';
import type { Account, HoldingName } from '../core/account.js';
import type { World } from '../core/world.js';
import { type Exchange, type Reply, send } from '../http/exchange.js';
import { parseForm } from '../http/form.js';
import { StripeError } from '../http/stripe-error.js';
import { authenticationPage, finishOnPage } from './authentication-page.js';
import { checkoutPage, payOnPage } from './checkout-page.js';
import { escaped, page } from './html.js';

/** The pages a buyer is sent to: authentication, and the checkout of a session. */
export class Pages {
  readonly #world: World;
  readonly #pagesUrl: () => string;

  constructor(world: World, pagesUrl: () => string) {
    this.#world = world;
    this.#pagesUrl = pagesUrl;
  }

  answer(exchange: Exchange): void {
    const [, kind = '', id = ''] = /^\/_sim\/pages\/([a-z]+)\/([\w-]+)$/.exec(exchange.path) ?? [];
    const account = this.#owner(kind, id);
    if (account === undefined) {
      send(exchange, page('Nothing here', '<p>This page is not, or no longer, in use.</p>', 404));
      return;
    }
    const cause = { requestId: null, idempotencyKey: null, origin: 'page' } as const;
    const act: Act = { world: this.#world, account, at: this.#world.now(), cause, pagesUrl: this.#pagesUrl() };
    const reply = this.#reply(act, exchange, kind, id);
    this.#world.commit();
    send(exchange, reply);
  }

  #reply(act: Act, exchange: Exchange, kind: string, id: string): Reply {
    const form = parseForm(exchange.body);
    try {
      if (kind === 'authenticate') return exchange.method === 'POST' ? finishOnPage(act, id, form) : authenticationPage(act, id);
      return exchange.method === 'POST' ? payOnPage(act, id, form) : checkoutPage(act, id);
    } catch (error) {
      if (error instanceof StripeError) return page('That did not work', `<p class="error">${escaped(error.message)}</p>`, error.status);
      throw error;
    }
  }

  #owner(kind: string, id: string): Account | undefined {
    const holding = HOLDINGS[`${kind}/${id.split('_', 1)[0]}`];
    if (holding === undefined) return undefined;
    for (const account of this.#world.accounts()) if (account.find(holding, id) !== undefined) return account;
    return undefined;
  }
}

/** What a page is about, by its kind and the prefix of the id. */
const HOLDINGS: Readonly<Record<string, HoldingName>> = {
  'authenticate/pi': 'payment_intents',
  'authenticate/seti': 'setup_intents',
  'checkout/cs': 'checkout_sessions',
};
