import { type Evidence, type Verdict } from './evidence.js';
import { eventsTakeEffectOnce, nothingTellsSecrets, outboxDrains } from './inbox.js';
import { accountsAreApart, acknowledgedIsThere, answersAreOne, oneEffectAKey, otherRequestsAreRefused } from './keys.js';
import { recordEqualsStripes } from './mirror.js';
import { chargedOnce, refundsFit, writesAreOrdered } from './money.js';
import { changesAreOnTheTimeline, statesMoveAlongTheTable } from './timeline.js';

const CHECKS: readonly ((evidence: Evidence) => Verdict)[] = [
  acknowledgedIsThere,
  oneEffectAKey,
  writesAreOrdered,
  answersAreOne,
  otherRequestsAreRefused,
  chargedOnce,
  refundsFit,
  recordEqualsStripes,
  statesMoveAlongTheTable,
  eventsTakeEffectOnce,
  outboxDrains,
  changesAreOnTheTimeline,
  nothingTellsSecrets,
  accountsAreApart,
];

/** Checks the rules R1 to R13 of the contract against what was seen from outside. Pure. */
export function judge(evidence: Evidence): readonly Verdict[] {
  return CHECKS.map((check) => check(evidence));
}
