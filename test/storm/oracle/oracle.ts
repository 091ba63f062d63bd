import { Check, type Evidence, type Verdict } from './evidence.js';
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
  nothingFails,
  nothingIsLate,
];

/** Checks the rules R1 to R13 of the contract, and what they do not name, against what was seen from outside. Pure. */
export function judge(evidence: Evidence): readonly Verdict[] {
  return CHECKS.map((check) => check(evidence));
}

/** Processes die only when they are killed, and whoever asks is answered. */
function nothingFails({ history, failures }: Evidence): Verdict {
  const check = new Check('life', 'nothing dies by itself, every command is answered');
  check.facts += history.commands.length;
  for (const failure of failures) check.that(false, () => failure);
  return check.verdict();
}

/** R7's times and a takeover's, apart from R7 itself: a machine may be slow, but it may not be wrong. */
function nothingIsLate({ times: { measured, late } }: Evidence): Verdict {
  const check = new Check('time', 'convergence takes no longer than allowed');
  check.facts += measured;
  for (const each of late) check.that(false, () => each);
  return check.verdict();
}
