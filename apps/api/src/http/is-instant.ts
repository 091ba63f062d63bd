import { isISO8601, ValidateBy } from 'class-validator';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** An RFC 3339 instant with its offset: ISO 8601 alone also names weeks, days of the year and local times, which `Date` misreads or cannot read. */
export function IsInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isInstant',
    validator: {
      // An offset may carry the last hours of 9999 into a year of five digits, which `Date` writes in a way PostgreSQL cannot read.
      validate: (value: unknown) =>
        typeof value === 'string' && INSTANT.test(value) && isISO8601(value, { strict: true }) && new Date(value).getUTCFullYear() <= 9_999,
      defaultMessage: () => 'must be an RFC 3339 instant, such as 2026-01-31T08:00:00Z',
    },
  });
}
