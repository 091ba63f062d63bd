import { DomainError, holdsCardNumber } from '#libs/primitives';

/** Keeps card numbers out of what people write. Throws DomainError card_number_refused with every field that holds one, and not what it holds. */
export function assertNoCardNumbers(texts: readonly { readonly field: string; readonly text: string }[]): void {
  const errors = texts.filter(({ text }) => holdsCardNumber(text)).map(({ field }) => ({ field, message: 'must not hold a card number' }));
  if (errors.length > 0) throw new DomainError('card_number_refused', 'A card number was sent; it was not stored.', { errors });
}
