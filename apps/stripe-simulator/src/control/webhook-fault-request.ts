import {
  asObject,
  ControlError,
  type ControlInput,
  optionalNumber,
  optionalNumbers,
  optionalText,
  refuseUnknownNames,
} from './control-input.js';
import { accountIdFrom } from './fault-request.js';
import type { WebhookFaultAction, WebhookFaultRule } from './webhook-faults.js';

const ACTIONS: Readonly<Record<string, WebhookFaultAction>> = {
  duplicate: 'duplicate',
  twin: 'twin',
  reorder: 'reorder',
  delay: 'delay',
  drop: 'drop',
  forge: 'forge',
  bad_signature: 'forge',
  tamper: 'tamper',
  old_timestamp: 'old_timestamp',
  wrong_version: 'wrong_version',
  thin: 'thin',
};

const MATCH_NAMES = ['type', 'account', 'object'];
const OWN_NAMES = ['action', 'times', 'window', 'ms', 'ageSeconds', 'nth', 'probability', 'seed', 'count'];

/** Reads a webhook fault as `POST /_sim/webhooks` takes it. */
export function webhookFaultFrom(input: ControlInput): WebhookFaultRule {
  const { match: nested, ...own } = input;
  const flat = { ...(nested === undefined ? {} : asObject(nested)), ...own };
  refuseUnknownNames(flat, [...MATCH_NAMES, ...OWN_NAMES]);
  const action = ACTIONS[optionalText(flat, 'action') ?? ''];
  if (action === undefined) throw new ControlError(`action must be one of: ${Object.keys(ACTIONS).join(', ')}, resend, reset.`);
  const type = optionalText(flat, 'type');
  const account = accountIdFrom(flat);
  const object = optionalText(flat, 'object');
  const nth = optionalNumbers(flat, 'nth');
  return {
    action,
    match: {
      ...(type === undefined ? {} : { type }),
      ...(account === undefined ? {} : { account }),
      ...(object === undefined ? {} : { object }),
    },
    ...(nth === undefined ? {} : { nth }),
    ...numbers(flat, ['times', 'window', 'ms', 'ageSeconds', 'probability', 'seed', 'count']),
  };
}

function numbers<N extends string>(input: ControlInput, names: readonly N[]): Partial<Record<N, number>> {
  const given: Partial<Record<N, number>> = {};
  for (const name of names) {
    const value = optionalNumber(input, name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}
