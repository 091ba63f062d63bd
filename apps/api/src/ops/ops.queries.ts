import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { OPEN_STATUSES } from '#libs/payments';
import { IsInstant } from '../http/is-instant.js';

const EVENT_STATUSES = ['received', 'held', 'applied', 'ignored', 'parked'];
const EVENT_TYPE = {
  pattern: /^[a-z][a-z0-9_.]{0,99}$/,
  rule: { message: 'must be a type of Stripe event, such as payment_intent.succeeded' },
};

/** How many members a page of a list of operators has. */
function IsLimit(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description: '1 to 100', default: 10 }),
    IsOptional(),
    Matches(/^([1-9]\d?|100)$/, { message: 'must be 1 to 100' }),
  );
}

/** The cursor of a page: the id of the last member of the page before. */
function IsCursor(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description: 'The `nextCursor` of the page before.' }),
    IsOptional(),
    Matches(/^[a-z]{2,4}_\w{1,250}$/, { message: 'must be the nextCursor of the page before' }),
  );
}

/** The query of GET /v1/ops/webhook-events. */
export class ListEventsQuery {
  @IsLimit()
  limit?: string;

  @IsCursor()
  startingAfter?: string;

  @ApiPropertyOptional({ enum: EVENT_STATUSES })
  @IsOptional()
  @IsIn(EVENT_STATUSES)
  status?: string;

  @ApiPropertyOptional({ example: 'payment_intent.succeeded' })
  @IsOptional()
  @Matches(EVENT_TYPE.pattern, EVENT_TYPE.rule)
  type?: string;
}

/** The body of POST /v1/ops/webhook-events/replay. */
export class ReplayEventsRequest {
  @ApiProperty({ example: 'payment_intent.succeeded' })
  @Matches(EVENT_TYPE.pattern, EVENT_TYPE.rule)
  type!: string;

  @ApiProperty({ description: 'RFC 3339 instant of receipt, inclusive.', example: '2026-01-31T08:00:00Z' })
  @IsInstant()
  from!: string;

  @ApiProperty({ description: 'RFC 3339 instant of receipt, exclusive.', example: '2026-01-31T09:00:00Z' })
  @IsInstant()
  to!: string;
}

/** The query of GET /v1/ops/operations. */
export class ListOperationsQuery {
  @IsLimit()
  limit?: string;

  @IsCursor()
  startingAfter?: string;

  @ApiPropertyOptional({ enum: OPEN_STATUSES, default: 'parked' })
  @IsOptional()
  @IsIn(OPEN_STATUSES)
  status?: (typeof OPEN_STATUSES)[number];
}

/** The query of GET /v1/ops/jobs. */
export class ListJobsQuery {
  @IsLimit()
  limit?: string;

  @ApiPropertyOptional({ enum: ['failed'], default: 'failed' })
  @IsOptional()
  @IsIn(['failed'])
  state?: string;

  @ApiPropertyOptional({ description: 'The `nextCursor` of the page before.' })
  @IsOptional()
  @IsUUID()
  startingAfter?: string;
}

/** The body of POST /v1/ops/reconciliations. */
export class ReconcileRequest {
  @ApiProperty({ description: 'true: only compare.' })
  @IsBoolean()
  dryRun!: boolean;
}

/** The query of GET /v1/ops/audit. */
export class ListAuditQuery {
  @IsLimit()
  limit?: string;

  @IsCursor()
  startingAfter?: string;
}
