import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsISO8601, IsOptional, Matches } from 'class-validator';
import { type OrderFilter } from '#libs/orders';
import { uuidOf } from '#libs/primitives';
import { invalid, IsText, parseRequest } from '../http/parse-request.js';

const STATUSES = ['pending', 'processing', 'requires_payment', 'requires_action', 'authorized', 'paid', 'partially_refunded', 'refunded', 'canceled', 'expired', 'failed'];

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

  @ApiPropertyOptional({ enum: STATUSES })
  @IsOptional()
  @IsIn(STATUSES)
  status?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsText(1, 200)
  reference?: string;

  @ApiPropertyOptional({ description: 'RFC 3339 instant, inclusive.' })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'must be an RFC 3339 instant' })
  createdFrom?: string;

  @ApiPropertyOptional({ description: 'RFC 3339 instant, inclusive.' })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'must be an RFC 3339 instant' })
  createdTo?: string;
}

/** Checks the query of GET /v1/orders. Throws DomainError validation_failed. */
export function parseListOrders(query: unknown): OrderFilter {
  const { limit, startingAfter, status, reference, createdFrom, createdTo } = parseRequest(ListOrdersQuery, query);
  const cursor = startingAfter === undefined ? null : uuidOf('ord', startingAfter);
  if (startingAfter !== undefined && cursor === null) throw invalid([{ field: 'startingAfter', message: 'must be the id of an order' }]);
  return {
    limit: Number(limit ?? 10),
    startingAfter: cursor,
    status: status ?? null,
    reference: reference ?? null,
    createdFrom: createdFrom === undefined ? null : new Date(createdFrom),
    createdTo: createdTo === undefined ? null : new Date(createdTo),
  };
}
