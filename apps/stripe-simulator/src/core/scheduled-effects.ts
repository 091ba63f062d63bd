import { recordChargeFee } from '../balance/balance-transactions.js';
import { expireSession } from '../checkout/expire-session.js';
import { openDispute } from '../disputes/disputes.js';
import { emit } from '../events/emit.js';
import { cancel, settle } from '../payment-intents/transitions.js';
import { settleRefund } from '../refunds/refunds.js';
import type { Act } from './act.js';
import type { Task } from './schedule.js';
import type { World } from './world.js';

/** Longest sleep of a Node timer, about 24.8 days; what is due later is looked at again then. */
const TIMER_MS_MAX = 2_147_483_647;

/** Makes what falls due happen: by the passing of time, or all at once when the clock is advanced. */
export class ScheduledEffects {
  readonly #world: World;
  readonly #pagesUrl: () => string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(world: World, pagesUrl: () => string) {
    this.#world = world;
    this.#pagesUrl = pagesUrl;
    world.onCommit(() => this.#rearm());
  }

  /** Runs everything due, each at the moment it fell due, so that consequences of consequences happen too. */
  runDue(): void {
    for (let task = this.#world.takeDue(); task !== undefined; task = this.#world.takeDue()) {
      this.#run(task);
      this.#world.commit();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #run(task: Task): void {
    const account = this.#world.accountById(task.account);
    if (account === undefined) return;
    const cause = { requestId: null, idempotencyKey: null, origin: 'clock' } as const;
    try {
      perform({ world: this.#world, account, at: this.#world.moment(task.dueAtMs), cause, pagesUrl: this.#pagesUrl() }, task);
    } catch (error) {
      // One task that cannot be done must not take the whole simulator with it.
      console.error(`${task.kind} of ${task.subject} failed:`, error);
    }
  }

  #rearm(): void {
    clearTimeout(this.#timer);
    const dueAtMs = this.#world.schedule.nextDueAtMs();
    if (dueAtMs === undefined || this.#closed) return;
    const waitMs = Math.min(Math.max(dueAtMs - this.#world.clock.nowMs(), 0), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.runDue(), waitMs);
  }
}

function perform(act: Act, task: Task): void {
  switch (task.kind) {
    case 'fill_balance_transaction': {
      const charge = act.account.find('charges', task.subject);
      if (charge?.balance_transaction === null) emit(act, 'charge.updated', recordChargeFee(act, charge), charge);
      return;
    }
    case 'lapse_authorization': {
      const intent = act.account.find('payment_intents', task.subject);
      if (intent?.status === 'requires_capture') cancel(act, intent, 'automatic');
      return;
    }
    case 'settle_payment': {
      const intent = act.account.find('payment_intents', task.subject);
      if (intent?.status === 'processing') settle(act, intent, task.outcome === 'failed' ? 'failed' : 'succeeded');
      return;
    }
    case 'settle_refund': {
      const refund = act.account.find('refunds', task.subject);
      if (refund?.status === 'pending' || (refund?.status === 'succeeded' && task.outcome === 'failed')) {
        settleRefund(act, refund, task.outcome === 'failed' ? 'failed' : 'succeeded');
      }
      return;
    }
    case 'open_dispute': {
      const charge = act.account.find('charges', task.subject);
      const [kind, reason = 'fraudulent'] = (task.outcome ?? '').split(':');
      if (charge !== undefined && charge.captured && !charge.disputed && !charge.refunded)
        openDispute(act, charge, { reason, inquiry: kind === 'inquiry' });
      return;
    }
    case 'expire_session': {
      const session = act.account.find('checkout_sessions', task.subject);
      if (session?.status === 'open') expireSession(act, session);
      return;
    }
  }
}
