import type { Collection, PageRequest, Stored } from '../core/collection.js';
import { asObject } from './form.js';
import { integer, type Param, type Parsed, parseShape, string } from './params.js';
import { invalidRequest, missingResource } from './stripe-error.js';

const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 10;

export interface CreatedRange {
  gt?: number | undefined;
  gte?: number | undefined;
  lt?: number | undefined;
  lte?: number | undefined;
}

const RANGE = { gt: integer(), gte: integer(), lt: integer(), lte: integer() };

/** `created=<instant>` or `created[gte]=...`. */
function createdRange(): Param<CreatedRange | undefined> {
  return {
    parse(value, name) {
      if (value === undefined) return undefined;
      if (typeof value === 'object') return parseShape(RANGE, asObject(value, name), name);
      const instant = integer().parse(value, name);
      return { gte: instant, lte: instant };
    },
  };
}

/** What every list takes. */
export const LIST_PARAMS = {
  created: createdRange(),
  ending_before: string(),
  limit: integer(),
  starting_after: string(),
};

export interface StripeList<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

export interface ListQuery<T extends Stored> {
  collection: Collection<T>;
  params: Parsed<typeof LIST_PARAMS>;
  url: string;
  /** How a missing object is called in the error for a wrong cursor. */
  kind: string;
  where?: PageRequest<T>['where'];
  filter?: (item: T) => boolean;
}

/** One page, newest first. */
export function listPage<T extends Stored>(query: ListQuery<T>): StripeList<T> {
  const { params, collection } = query;
  const { starting_after: startingAfter, ending_before: endingBefore } = params;
  if (startingAfter !== undefined && endingBefore !== undefined) {
    throw invalidRequest('You cannot parameterize both ending_before and starting_after.', { param: 'ending_before' });
  }
  const range = params.created;
  const page = collection.page({
    limit: Math.min(Math.max(params.limit ?? LIMIT_DEFAULT, 1), LIMIT_MAX),
    startingAfter,
    endingBefore,
    where: query.where,
    createdFrom: range?.gte ?? range?.gt,
    filter: (item) => inRange(item.created, range) && (query.filter?.(item) ?? true),
  });
  if (page === undefined) {
    throw missingResource(
      query.kind,
      startingAfter ?? endingBefore ?? '',
      startingAfter === undefined ? 'ending_before' : 'starting_after',
      400,
    );
  }
  return { object: 'list', data: page.data, has_more: page.hasMore, url: query.url };
}

/** The clause for an optional parameter that names the value of an indexed field. */
export function whereEquals<T>(field: keyof T & string, value: string | undefined): PageRequest<T>['where'] {
  return value === undefined ? undefined : { field, value };
}

function inRange(created: number, range: CreatedRange | undefined): boolean {
  if (range === undefined) return true;
  return (
    (range.gt === undefined || created > range.gt) &&
    (range.gte === undefined || created >= range.gte) &&
    (range.lt === undefined || created < range.lt) &&
    (range.lte === undefined || created <= range.lte)
  );
}
