import type { Account } from './account.js';
import type { EffectEntry, EffectType } from './journal.js';
import type { World } from './world.js';

/** Why something happens: events and the journal name it. */
export interface Cause {
  requestId: string | null;
  idempotencyKey: string | null;
  origin: EffectEntry['origin'];
}

/** One step on one account at one instant: what every rule of the simulator is handed to read and change state with. */
export interface Act {
  world: World;
  account: Account;
  /** Seconds on the virtual clock. */
  at: number;
  cause: Cause;
  /** Where this simulator's own pages are reached. */
  pagesUrl: string;
}

export interface Movement {
  amount: number;
  currency: string;
  paymentIntent: string | null;
  charge?: string;
  refund?: string;
}

/** Writes a movement of money into the journal. */
export function journalEffect(act: Act, type: EffectType, movement: Movement): void {
  act.world.journalEntry(act.account, {
    kind: 'effect',
    type,
    amount: movement.amount,
    currency: movement.currency,
    paymentIntent: movement.paymentIntent,
    charge: movement.charge ?? null,
    refund: movement.refund ?? null,
    requestId: act.cause.requestId,
    idempotencyKey: act.cause.idempotencyKey,
    origin: act.cause.origin,
  });
}
