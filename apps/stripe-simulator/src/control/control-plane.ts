import { accountNameOf } from '../api/authentication.js';
import { paySession } from '../checkout/pay-session.js';
import type { Account, HoldingName, Holdings } from '../core/account.js';
import type { Act } from '../core/act.js';
import type { ScheduledEffects } from '../core/scheduled-effects.js';
import type { World } from '../core/world.js';
import { closeDispute, openDispute } from '../disputes/disputes.js';
import { deliveriesOf } from '../events/emit.js';
import { type Exchange, json, type Reply, send } from '../http/exchange.js';
import { Router } from '../http/router.js';
import { StripeError } from '../http/stripe-error.js';
import { finishAuthentication, settle } from '../payment-intents/transitions.js';
import { usePaymentMethod } from '../payment-methods/payment-methods.js';
import { finishSetupAuthentication } from '../setup-intents/setup.js';
import { settleRefund } from '../refunds/refunds.js';
import type { WebhookDelivery } from '../webhooks/webhook-delivery.js';
import {
  ControlError,
  type ControlInput,
  oneInput,
  optionalFlag,
  optionalNumber,
  optionalText,
  outcomeOf,
  readInput,
  refuseUnknownNames,
} from './control-input.js';
import { accountIdFrom, faultFrom } from './fault-request.js';
import type { Faults } from './faults.js';
import { handbook } from './handbook.js';
import { moneyMoved } from './money.js';
import { webhookFaultFrom } from './webhook-fault-request.js';
import type { WebhookFaults } from './webhook-faults.js';

export interface ControlParts {
  world: World;
  faults: Faults;
  webhookFaults: WebhookFaults;
  delivery: WebhookDelivery;
  scheduled: ScheduledEffects;
  pagesUrl: () => string;
}

interface Control {
  method: string;
  path: string;
  run(exchange: Exchange, id: string): unknown;
}

/** Everything under `/_sim`: what a test does to the simulator, and what it learns from it. */
export class ControlPlane {
  readonly #parts: ControlParts;
  readonly #router: Router<Control>;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#router = new Router([...this.#disturbances(), ...this.#state(), ...this.#outcomes()]);
  }

  answer(exchange: Exchange): void {
    send(exchange, this.#reply(exchange));
  }

  #reply(exchange: Exchange): Reply {
    const found = this.#router.find(exchange.method, exchange.path);
    if (found === undefined) return json(404, { error: `There is no control ${exchange.method} ${exchange.path}. GET /_sim lists all.` });
    try {
      return json(200, found.route.run(exchange, found.ids[0] ?? ''));
    } catch (error) {
      if (error instanceof ControlError || error instanceof StripeError) return json(error.status, { error: error.message });
      throw error;
    } finally {
      this.#parts.world.commit();
    }
  }

  /** What goes wrong on purpose. */
  #disturbances(): Control[] {
    const { faults, webhookFaults, delivery } = this.#parts;
    return [
      { method: 'GET', path: '/_sim/faults', run: () => ({ data: faults.list() }) },
      { method: 'POST', path: '/_sim/faults', run: (exchange) => armed(exchange, (input) => faults.arm(faultFrom(input))) },
      { method: 'DELETE', path: '/_sim/faults', run: () => ({ deleted: faults.disarm() }) },
      { method: 'DELETE', path: '/_sim/faults/:id', run: (_, id) => ({ deleted: faults.disarm(id) }) },
      { method: 'GET', path: '/_sim/webhooks', run: () => ({ data: webhookFaults.list(), attempts: delivery.recent }) },
      { method: 'POST', path: '/_sim/webhooks', run: (exchange) => armed(exchange, (input) => this.#webhookControl(input)) },
      { method: 'DELETE', path: '/_sim/webhooks', run: () => ({ deleted: webhookFaults.disarm() }) },
      { method: 'DELETE', path: '/_sim/webhooks/:id', run: (_, id) => ({ deleted: webhookFaults.disarm(id) }) },
    ];
  }

  /** What the simulator is and was. */
  #state(): Control[] {
    const { world } = this.#parts;
    return [
      { method: 'GET', path: '/_sim', run: () => handbook(this.#parts.pagesUrl()) },
      { method: 'GET', path: '/_sim/clock', run: () => this.#clock() },
      { method: 'POST', path: '/_sim/clock', run: (exchange) => this.#advance(oneInput(exchange)) },
      { method: 'GET', path: '/_sim/journal', run: (exchange) => this.#journal(oneInput(exchange)) },
      { method: 'GET', path: '/_sim/settings', run: () => world.temper },
      { method: 'POST', path: '/_sim/settings', run: (exchange) => this.#temper(oneInput(exchange)) },
      {
        method: 'GET',
        path: '/_sim/accounts',
        run: () => ({
          data: Array.from(world.accounts(), ({ id, name }) => ({ id, secretKey: `sk_test_${name}`, publishableKey: `pk_test_${name}` })),
        }),
      },
      { method: 'POST', path: '/_sim/reset', run: (exchange) => this.#reset(oneInput(exchange)) },
    ];
  }

  /** What others than the merchant do: buyers and banks. */
  #outcomes(): Control[] {
    return [
      {
        method: 'POST',
        path: '/_sim/payment_intents/:id/next_action',
        run: (exchange, id) =>
          this.#change('payment_intents', id, (act, intent) => finishAuthentication(act, intent, outcomeOf(oneInput(exchange)))),
      },
      {
        method: 'POST',
        path: '/_sim/payment_intents/:id/settle',
        run: (exchange, id) => this.#change('payment_intents', id, (act, intent) => settle(act, intent, outcomeOf(oneInput(exchange)))),
      },
      {
        method: 'POST',
        path: '/_sim/setup_intents/:id/next_action',
        run: (exchange, id) =>
          this.#change('setup_intents', id, (act, intent) => finishSetupAuthentication(act, intent, outcomeOf(oneInput(exchange)))),
      },
      {
        method: 'POST',
        path: '/_sim/refunds/:id/settle',
        run: (exchange, id) => this.#change('refunds', id, (act, refund) => settleRefund(act, refund, outcomeOf(oneInput(exchange)))),
      },
      {
        method: 'POST',
        path: '/_sim/charges/:id/dispute',
        run: (exchange, id) => this.#change('charges', id, (act, charge) => openDispute(act, charge, disputeFrom(oneInput(exchange)))),
      },
      {
        method: 'POST',
        path: '/_sim/disputes/:id/close',
        run: (exchange, id) =>
          this.#change('disputes', id, (act, dispute) =>
            closeDispute(act, dispute, outcomeOf(oneInput(exchange)) === 'succeeded' ? 'won' : 'lost'),
          ),
      },
      {
        method: 'POST',
        path: '/_sim/checkout/sessions/:id/pay',
        run: (exchange, id) =>
          this.#change('checkout_sessions', id, (act, session) => {
            paySession(act, session, usePaymentMethod(act, optionalText(oneInput(exchange), 'paymentMethod') ?? 'pm_card_visa'));
            return act.account.find('checkout_sessions', id) ?? session;
          }),
      },
    ];
  }

  #clock(): object {
    const { clock } = this.#parts.world;
    const nowMs = clock.nowMs();
    return { offsetSeconds: clock.offsetMs / 1000, offsetMs: clock.offsetMs, now: new Date(nowMs).toISOString(), nowMs };
  }

  #advance(input: ControlInput): object {
    refuseUnknownNames(input, ['advanceSeconds', 'advanceMs']);
    const ms = (optionalNumber(input, 'advanceSeconds') ?? 0) * 1000 + (optionalNumber(input, 'advanceMs') ?? 0);
    if (ms < 0) throw new ControlError('The clock only moves forward; POST /_sim/reset sets it back to now.');
    this.#parts.world.advanceClock(Math.round(ms));
    this.#parts.scheduled.runDue();
    return this.#clock();
  }

  #journal(input: ControlInput): object {
    refuseUnknownNames(input, ['account', 'kind', 'key', 'paymentIntent', 'afterSeq', 'limit']);
    const account = accountIdFrom(input);
    const data = this.#parts.world.journal.select({
      account,
      kind: optionalText(input, 'kind'),
      idempotencyKey: optionalText(input, 'key'),
      paymentIntent: optionalText(input, 'paymentIntent'),
      afterSeq: optionalNumber(input, 'afterSeq'),
      limit: optionalNumber(input, 'limit'),
    });
    // Totals are those of all effects, whatever page of the journal is shown.
    const effects = this.#parts.world.journal.select({ account, kind: 'effect', paymentIntent: optionalText(input, 'paymentIntent') });
    return { data, lastSeq: data.at(-1)?.seq ?? null, totals: moneyMoved(effects) };
  }

  #temper(input: ControlInput): object {
    const { temper } = this.#parts.world;
    refuseUnknownNames(input, Object.keys(temper));
    temper.latencyMs = optionalNumber(input, 'latencyMs') ?? temper.latencyMs;
    temper.searchLagMs = optionalNumber(input, 'searchLagMs') ?? temper.searchLagMs;
    const type = optionalText(input, 'keyInUseErrorType') ?? temper.keyInUseErrorType;
    if (type !== 'idempotency_error' && type !== 'invalid_request_error')
      throw new ControlError('keyInUseErrorType must be idempotency_error or invalid_request_error.');
    temper.keyInUseErrorType = type;
    return temper;
  }

  #webhookControl(input: ControlInput): object {
    const { delivery, webhookFaults } = this.#parts;
    if (input['action'] === 'reset') return { deleted: webhookFaults.disarm() };
    if (input['action'] !== 'resend') return webhookFaults.arm(webhookFaultFrom(input));
    const id = optionalText(input, 'event') ?? '';
    const account = this.#ownerOf('events', id);
    const event = account?.find('events', id);
    if (account === undefined || event === undefined) throw new ControlError(`There is no event ${id}.`, 404);
    const endpoints = deliveriesOf(account, event).map(({ endpoint }) => endpoint);
    for (const endpoint of endpoints) delivery.dispatch({ account, event, endpoint });
    return { resent: id, endpoints };
  }

  #reset(input: ControlInput): object {
    const { world, faults, webhookFaults } = this.#parts;
    refuseUnknownNames(input, ['account']);
    const key = optionalText(input, 'account');
    if (key === undefined) {
      faults.disarm();
      webhookFaults.disarm();
      world.reset();
      return { reset: 'everything' };
    }
    const account = key.startsWith('acct_') ? world.accountById(key) : world.account(accountNameOf(key));
    if (account !== undefined) world.reset(account);
    return { reset: key };
  }

  #change<N extends HoldingName>(holding: N, id: string, change: (act: Act, object: Holdings[N]) => object): object {
    const { world } = this.#parts;
    const account = this.#ownerOf(holding, id);
    const object = account?.find(holding, id);
    if (account === undefined || object === undefined) throw new ControlError(`There is no ${id} among the ${holding}.`, 404);
    const cause = { requestId: null, idempotencyKey: null, origin: 'control' } as const;
    return change({ world, account, at: world.now(), cause, pagesUrl: this.#parts.pagesUrl() }, object);
  }

  #ownerOf(holding: HoldingName, id: string): Account | undefined {
    for (const account of this.#parts.world.accounts()) if (account.find(holding, id) !== undefined) return account;
    return undefined;
  }
}

/** One rule answers itself; a list of rules, the list. */
function armed(exchange: Exchange, arm: (input: ControlInput) => object): object {
  const input = readInput(exchange);
  return Array.isArray(input) ? { data: input.map(arm) } : arm(input);
}

function disputeFrom(input: ControlInput): { reason: string; inquiry: boolean } {
  refuseUnknownNames(input, ['reason', 'inquiry']);
  return { reason: optionalText(input, 'reason') ?? 'fraudulent', inquiry: optionalFlag(input, 'inquiry') ?? false };
}
