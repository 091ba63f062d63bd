export { holdsCardNumber, maskCardNumbers } from './card-number.js';
export { type Clock, systemClock, virtualClock } from './clock.js';
export { CURRENCIES, currencyRule, formatAmount, LARGEST_AMOUNT, MAXIMUM_AMOUNT } from './currency.js';
export { DomainError, type ErrorCode, type FieldError } from './domain-error.js';
export { armFailpoint, EFFECTS, effect, type EffectName, FAILPOINTS, parseFailpoint, reach } from './effect.js';
export { type Entropy, type IdPrefix, publicId, systemEntropy, uuidOf } from './ids.js';
