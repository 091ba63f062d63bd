import { DomainError, holdsBrandCardNumber, holdsCardNumber } from '#libs/primitives';

/** Where people write, who have no long numbers but those of their cards. */
const OF_PEOPLE = /^(customer(\.|$)|items\.\d+\.name$)/;

/**
 * Whoever sends a card number has misunderstood, and it must not get as far as a database, whatever member of the body it stands in.
 * Throws DomainError card_number_refused.
 */
export function refuseCardNumbers(body: unknown): void {
  const errors = textsIn(body, '').flatMap(({ field, text }) =>
    (OF_PEOPLE.test(field) ? holdsCardNumber(text) : holdsBrandCardNumber(text)) ? [{ field, message: 'must not hold a card number' }] : [],
  );
  if (errors.length > 0) throw new DomainError('card_number_refused', 'A card number was sent; it was not stored.', { errors });
}

function textsIn(value: unknown, field: string): { field: string; text: string }[] {
  if (typeof value !== 'object' || value === null) return [{ field, text: String(value) }];
  return Object.entries(value).flatMap(([name, member]) => textsIn(member, field === '' ? name : `${field}.${name}`));
}
