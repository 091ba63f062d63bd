import {
  asObject,
  bareWord,
  ControlError,
  type ControlInput,
  optionalNumber,
  optionalNumbers,
  optionalText,
  refuseUnknownNames,
  renamed,
} from './control-input.js';
import { accountIdFrom } from './fault-request.js';
import type { WebhookFaultAction, WebhookFaultRule } from './webhook-faults.js';

/** The actions by their words in letters and digits only, and which number belongs to each. */
const ACTIONS: Readonly<Record<string, { action: WebhookFaultAction; measure?: 'times' | 'window' | 'ms' | 'ageSeconds' }>> = {
  duplicate: { action: 'duplicate', measure: 'times' },
  twin: { action: 'twin' },
  reorder: { action: 'reorder', measure: 'window' },
  delay: { action: 'delay', measure: 'ms' },
  drop: { action: 'drop' },
  forge: { action: 'forge' },
  badsignature: { action: 'forge' },
  tamper: { action: 'tamper' },
  oldtimestamp: { action: 'old_timestamp', measure: 'ageSeconds' },
  wrongversion: { action: 'wrong_version' },
  thin: { action: 'thin' },
};

const MATCH_NAMES = ['type', 'account', 'object'];
const OWN_NAMES = ['action', 'times', 'window', 'ms', 'ageSeconds', 'nth', 'probability', 'seed', 'count'];
const ALIASES: Readonly<Record<string, string>> = {
  kind: 'action',
  fault: 'action',
  mode: 'action',
  delayMs: 'ms',
  eventType: 'type',
  event: 'type',
};

/** Reads a webhook fault as `POST /_sim/webhooks` takes it: `{action: "duplicate", times: 2}`, or short `{duplicate: 2}`. */
export function webhookFaultFrom(input: ControlInput): WebhookFaultRule {
  const { match: nested, ...own } = spelledOut(input);
  const flat = renamed({ ...(nested === undefined ? {} : asObject(nested)), ...own }, ALIASES);
  refuseUnknownNames(flat, [...MATCH_NAMES, ...OWN_NAMES]);
  const named = ACTIONS[bareWord(optionalText(flat, 'action') ?? '')];
  if (named === undefined) throw new ControlError(`action must be one of: ${Object.keys(ACTIONS).join(', ')}, resend, reset.`);
  const type = optionalText(flat, 'type');
  const account = accountIdFrom(flat);
  const object = optionalText(flat, 'object');
  const nth = optionalNumbers(flat, 'nth');
  return {
    action: named.action,
    match: {
      ...(type === undefined ? {} : { type }),
      ...(account === undefined ? {} : { account }),
      ...(object === undefined ? {} : { object }),
    },
    ...(nth === undefined ? {} : { nth }),
    ...numbers(flat, ['times', 'window', 'ms', 'ageSeconds', 'probability', 'seed', 'count']),
  };
}

/** `{duplicate: 2}` says what `{action: "duplicate", times: 2}` does, and `{drop: true}` what `{action: "drop"}` does. */
function spelledOut(input: ControlInput): ControlInput {
  const short = Object.keys(input).find((name) => ACTIONS[bareWord(name)] !== undefined);
  if (short === undefined || input['action'] !== undefined) return input;
  const { [short]: value, ...rest } = input;
  const measure = ACTIONS[bareWord(short)]?.measure;
  return { action: short, ...(measure === undefined || value === true ? {} : { [measure]: value }), ...rest };
}

function numbers<N extends string>(input: ControlInput, names: readonly N[]): Partial<Record<N, number>> {
  const given: Partial<Record<N, number>> = {};
  for (const name of names) {
    const value = optionalNumber(input, name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}
