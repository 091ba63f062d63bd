import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Max, Min, ValidateBy } from 'class-validator';
import { type FieldError } from '#libs/primitives';
import { type Scope, SCOPES } from '../callers/caller.js';
import { IsInstant } from '../http/is-instant.js';
import { invalid, IsText, parseOptionalBody, parseRequest } from '../http/parse-request.js';
import { isIpRange } from '../limits/client-address.js';
import { KEY_KINDS, type KeyTraits } from './api-keys.js';

const LIST_MAX = 50;
const OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 30 * 86_400;

function IsEach(name: string, isOne: (text: string) => boolean, rule: string): PropertyDecorator {
  const validate = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string' && isOne(one));
  return ValidateBy({ name, validator: { validate, defaultMessage: () => `must be a list, each of it ${rule}` } });
}

/** An origin as browsers write it. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** The body of POST /v1/keys. */
export class MakeKeyRequest {
  @ApiProperty({ enum: KEY_KINDS, description: 'Of all scopes, of those named, or for browsers.', example: 'restricted' })
  @IsIn(KEY_KINDS)
  kind!: (typeof KEY_KINDS)[number];

  @ApiProperty({ description: 'What you will know it by.', example: 'refund desk' })
  @IsText(1, 100)
  name!: string;

  @ApiPropertyOptional({ enum: SCOPES, isArray: true, description: 'Only, and always, of a restricted key.', example: ['orders:read'] })
  @IsOptional()
  @IsArray()
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes?: Scope[];

  @ApiPropertyOptional({
    type: [String],
    description: 'Only, and always, of a publishable key: where its pages are.',
    example: ['https://shop.example'],
  })
  @IsOptional()
  @IsEach('isOrigin', isOrigin, 'an origin such as https://shop.example')
  @ArrayMaxSize(LIST_MAX)
  origins?: string[];

  @ApiPropertyOptional({
    type: [String],
    description: 'Addresses or CIDR ranges it may be used from; without them, any. Not of a publishable key.',
    example: ['203.0.113.0/24'],
  })
  @IsOptional()
  @IsEach('isIpRange', isIpRange, 'an address or a CIDR range')
  @ArrayMaxSize(LIST_MAX)
  ipRanges?: string[];

  @ApiPropertyOptional({ description: 'RFC 3339 instant; without it, the key does not expire.', example: '2030-01-01T00:00:00Z' })
  @IsOptional()
  @IsInstant()
  expiresAt?: string;
}

/** The body of POST /v1/keys/{id}/rotate. */
export class RotateKeyRequest {
  @ApiPropertyOptional({
    description: 'How long the old key goes on beside the new one.',
    default: OVERLAP_SECONDS,
    minimum: 0,
    maximum: OVERLAP_SECONDS_MAX,
    example: 3_600,
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS_MAX)
  overlapSeconds?: number;
}

/** Checks the traits of a new key. Throws DomainError validation_failed. */
export function parseMakeKey(body: unknown, accountId: string, now: Date): KeyTraits {
  const { kind, name, scopes = [], origins = [], ipRanges = [], expiresAt } = parseRequest(MakeKeyRequest, body);
  const errors: FieldError[] = [];
  const refuse = (isWrong: boolean, field: string, message: string): void => {
    if (isWrong) errors.push({ field, message });
  };
  refuse((kind === 'restricted') !== scopes.length > 0, 'scopes', 'must be given of a restricted key, and of no other');
  refuse((kind === 'publishable') !== origins.length > 0, 'origins', 'must be given of a publishable key, and of no other');
  refuse(kind === 'publishable' && ipRanges.length > 0, 'ipRanges', 'must not be given of a publishable key: it is used from everywhere');
  refuse(expiresAt !== undefined && new Date(expiresAt) <= now, 'expiresAt', 'must lie in the future');
  if (errors.length > 0) throw invalid(errors);
  return { accountId, kind, name, scopes, origins, ipRanges, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
}

/** Checks how a key is to be rotated. Throws DomainError validation_failed. */
export function parseRotateKey(body: unknown): number {
  return parseOptionalBody(RotateKeyRequest, body).overlapSeconds ?? OVERLAP_SECONDS;
}
