import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OPEN_STATUSES, OPERATION_KINDS } from '#libs/payments';

const NULLABLE_TEXT = { type: 'string', nullable: true } as const;
const NULLABLE_INSTANT = { type: 'string', format: 'date-time', nullable: true } as const;

/** An event of Stripe in the inbox. */
export class EventResponse {
  @ApiProperty({ example: 'evt_1QABC' }) id!: string;
  @ApiProperty({ enum: ['webhook_event'] }) object!: 'webhook_event';
  @ApiProperty({ example: 'payment_intent.succeeded' }) type!: string;
  @ApiProperty({ enum: ['received', 'held', 'applied', 'ignored', 'parked'] }) status!: string;
  @ApiProperty() livemode!: boolean;
  @ApiProperty(NULLABLE_TEXT) apiVersion!: string | null;
  @ApiProperty(NULLABLE_TEXT) stripeObjectId!: string | null;
  @ApiProperty({ ...NULLABLE_TEXT, description: 'null while its order is not known.' }) order!: string | null;
  @ApiProperty() attempts!: number;
  @ApiProperty(NULLABLE_TEXT) note!: string | null;
  @ApiProperty({ description: 'What Stripe sent is still kept.' }) isReplayable!: boolean;
  @ApiProperty({ format: 'date-time' }) receivedAt!: string;
  @ApiProperty(NULLABLE_INSTANT) processedAt!: string | null;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true, description: 'Only where one event is read.' })
  payload?: object | null;
}

export class EventListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [EventResponse] }) data!: EventResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(NULLABLE_TEXT) nextCursor!: string | null;
}

/** How many events were queued to be applied once more. */
export class ReplayResponse {
  @ApiProperty({ enum: ['webhook_event_replay'] }) object!: 'webhook_event_replay';
  @ApiProperty() type!: string;
  @ApiProperty() replayed!: number;
  @ApiProperty(NULLABLE_INSTANT) continueFrom!: string | null;
}

/** Something that is ordered at Stripe and not over. */
export class OperationResponse {
  @ApiProperty({ example: 'op_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: ['operation'] }) object!: 'operation';
  @ApiProperty() order!: string;
  @ApiProperty(NULLABLE_TEXT) refund!: string | null;
  @ApiProperty({ enum: OPERATION_KINDS }) kind!: string;
  @ApiProperty() orderedBy!: string;
  @ApiProperty({ enum: OPEN_STATUSES }) status!: string;
  @ApiProperty({ description: 'A send of it may have taken effect.' }) inDoubt!: boolean;
  @ApiProperty() generation!: number;
  @ApiProperty() attempts!: number;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true }) lastError!: object | null;
  @ApiProperty({ ...NULLABLE_TEXT, description: 'The X-Request-Id of the command that ordered it.' }) requestId!: string | null;
  @ApiProperty(NULLABLE_INSTANT) firstSentAt!: string | null;
  @ApiProperty({ format: 'date-time' }) nextAttemptAt!: string;
  @ApiProperty(NULLABLE_INSTANT) retriedAt!: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
}

export class OperationListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [OperationResponse] }) data!: OperationResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(NULLABLE_TEXT) nextCursor!: string | null;
}

/** A job that failed for good. */
export class JobResponse {
  @ApiProperty() id!: string;
  @ApiProperty({ enum: ['job'] }) object!: 'job';
  @ApiProperty({ enum: ['failed'] }) state!: 'failed';
  @ApiProperty() queue!: string;
  @ApiProperty() kind!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) payload!: object;
  @ApiProperty() reason!: string;
  @ApiProperty() attempts!: number;
  @ApiProperty({ format: 'date-time' }) failedAt!: string;
  @ApiProperty({ ...NULLABLE_TEXT, description: 'The job that was queued in its stead.' }) replacedBy!: string | null;
}

export class JobListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [JobResponse] }) data!: JobResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(NULLABLE_TEXT) nextCursor!: string | null;
}

/** A comparison with Stripe. */
export class ReconciliationResponse {
  @ApiProperty({ example: 'rec_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: ['reconciliation'] }) object!: 'reconciliation';
  @ApiProperty() dryRun!: boolean;
  @ApiProperty({ enum: ['queued', 'running', 'done', 'failed'] }) status!: string;
  @ApiProperty({ description: 'The id of an API key, or `schedule`.' }) requestedBy!: string;
  @ApiProperty({ format: 'date-time' }) requestedAt!: string;
  @ApiProperty(NULLABLE_INSTANT) startedAt!: string | null;
  @ApiProperty(NULLABLE_INSTANT) finishedAt!: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Counts, and the first differences with both values: those of the account and of no known order.',
  })
  report!: object | null;
}

/** A circuit breaker in front of Stripe. */
export class BreakerResponse {
  @ApiProperty({ example: 'stripe' }) id!: string;
  @ApiProperty({ enum: ['breaker'] }) object!: 'breaker';
  @ApiProperty({ enum: ['closed', 'open', 'half_open'] }) state!: string;
  @ApiProperty({ enum: ['outage', 'credentials'], type: 'string', nullable: true }) cause!: string | null;
  @ApiProperty({ description: 'In a row.' }) failures!: number;
  @ApiProperty(NULLABLE_INSTANT) openedAt!: string | null;
  @ApiProperty(NULLABLE_INSTANT) openUntil!: string | null;
  @ApiProperty(NULLABLE_TEXT) lastError!: string | null;
}

export class BreakerListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [BreakerResponse] }) data!: BreakerResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(NULLABLE_TEXT) nextCursor!: string | null;
}

/** One line of the audit trail. */
export class AuditEntryResponse {
  @ApiProperty({ example: 'aud_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: ['audit_entry'] }) object!: 'audit_entry';
  @ApiProperty({ description: 'The id of the API key it was done with.' }) keyId!: string;
  @ApiProperty({ example: 'operation.retry' }) action!: string;
  @ApiProperty(NULLABLE_TEXT) target!: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true }) details!: object;
  @ApiProperty() requestId!: string;
  @ApiProperty({ format: 'date-time' }) at!: string;
}

export class AuditListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [AuditEntryResponse] }) data!: AuditEntryResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(NULLABLE_TEXT) nextCursor!: string | null;
}
