import { censored } from '#libs/telemetry';

/** Members of Stripe's objects that let whoever knows them act for the buyer or for us. */
const SECRET_MEMBER = /(^|_)secret$/;

/**
 * A stored payload of Stripe as operators may see it: without client secrets, wherever they stand. They also stand
 * inside addresses, such as the one a buyer is sent to for 3-D Secure.
 */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return censored(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !SECRET_MEMBER.test(name));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutSecrets(member)]));
}
