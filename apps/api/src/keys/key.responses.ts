import { ApiProperty } from '@nestjs/swagger';
import { SCOPES } from '../callers/caller.js';
import { KEY_KINDS } from './api-keys.js';

const nullableInstant = { type: 'string', format: 'date-time', nullable: true } as const;

/** A key as it is answered. */
export class KeyResponse {
  @ApiProperty({ example: 'key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c' }) id!: string;
  @ApiProperty({ enum: ['api_key'] }) object!: 'api_key';
  @ApiProperty({ enum: KEY_KINDS }) kind!: string;
  @ApiProperty({ enum: ['test', 'live'] }) mode!: string;
  @ApiProperty({ example: 'refund desk' }) name!: string;
  @ApiProperty({ enum: SCOPES, isArray: true }) scopes!: string[];
  @ApiProperty({ type: [String], example: [] }) origins!: string[];
  @ApiProperty({ type: [String], example: ['203.0.113.0/24'] }) ipRanges!: string[];
  @ApiProperty({ type: 'string', nullable: true, description: 'The key it took the place of' }) replaces!: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty(nullableInstant) expiresAt!: string | null;
  @ApiProperty(nullableInstant) revokedAt!: string | null;
  @ApiProperty({ ...nullableInstant, description: 'Some seconds late' }) lastUsedAt!: string | null;
}

/** A key just made. */
export class MadeKeyResponse extends KeyResponse {
  @ApiProperty({ type: 'string', nullable: true, description: 'The key itself, in the first answer only' }) key!: string | null;
}

/** All keys of an account. */
export class KeyListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [KeyResponse] }) data!: KeyResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty({ type: 'string', nullable: true }) nextCursor!: string | null;
}
