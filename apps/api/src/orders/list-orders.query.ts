import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { type OrderFilter } from '#libs/orders';
import { ORDER_STATUSES } from '#libs/payments';
import { uuidOf } from '#libs/primitives';
import { IsInstant } from '../http/is-instant.js';
import { invalid, IsText, parseRequest } from '../http/parse-request.js';

/** The query of GET /v1/orders. */
export class ListOrdersQuery {
  @ApiPropertyOptional({ description: '1 to 100', default: 10 })
  @IsOptional()
  @Matches(/^([1-9]\d?|100)$/, { message: 'must be 1 to 100' })
  limit?: string;

  @ApiPropertyOptional({ description: 'The `nextCursor` of the page before: the id of its last order.' })
  @IsOptional()
  @IsText(1, 100)
  startingAfter?: string;

  @ApiPropertyOptional({ enum: ORDER_STATUSES })
  @IsOptional()
  @IsIn(ORDER_STATUSES)
  status?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsText(1, 200)
  reference?: string;

  @ApiPropertyOptional({ description: 'RFC 3339 instant, inclusive.' })
  @IsOptional()
  @IsInstant()
  createdFrom?: string;

  @ApiPropertyOptional({ description: 'RFC 3339 instant, inclusive.' })
  @IsOptional()
  @IsInstant()
  createdTo?: string;
}

/** Checks the query of GET /v1/orders. Throws DomainError validation_failed. */
export function parseListOrders(query: unknown): OrderFilter {
  const { limit, startingAfter, status, reference, createdFrom, createdTo } = parseRequest(ListOrdersQuery, query);
  const cursor = startingAfter === undefined ? null : uuidOf('ord', startingAfter);
  if (startingAfter !== undefined && cursor === null) throw invalid([{ field: 'startingAfter', message: 'must be the id of an order' }]);
  const range = { createdFrom: instantOf(createdFrom), createdTo: instantOf(createdTo) };
  if (range.createdFrom !== null && range.createdTo !== null && range.createdFrom > range.createdTo)
    throw invalid([{ field: 'createdTo', message: 'must not be earlier than createdFrom' }]);
  return {
    limit: Number(limit ?? 10),
    startingAfter: cursor,
    status: status ?? null,
    reference: reference ?? null,
    ...range,
  };
}

function instantOf(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text);
}
