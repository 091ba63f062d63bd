import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { type RefundReason } from '#libs/orders';
import { LARGEST_AMOUNT } from '#libs/primitives';
import { IsOptionalNotNull } from '../http/parse-request.js';

/** The body of POST /v1/orders/{id}/pay. */
export class PayRequest {
  @ApiProperty({ example: 'pm_card_mastercard' })
  @Matches(/^pm_\w{1,200}$/, { message: 'must be the id of a Stripe payment method: pm_…' })
  paymentMethod!: string;
}

/** The body of POST /v1/orders/{id}/capture. */
export class CaptureRequest {
  @ApiPropertyOptional({
    description: "Integer in Stripe's unit of the currency; without it, all that is authorised. What is left is released.",
    example: 2000,
    minimum: 1,
  })
  @IsOptionalNotNull()
  @IsInt()
  @Min(1)
  @Max(LARGEST_AMOUNT)
  amount?: number;
}

const REASONS: readonly RefundReason[] = ['duplicate', 'fraudulent', 'requested_by_customer'];

/** The body of POST /v1/orders/{id}/refunds. */
export class CreateRefundRequest {
  @ApiPropertyOptional({
    description: "Integer in Stripe's unit of the currency; without it, all that is left.",
    example: 1000,
    minimum: 1,
  })
  @IsOptionalNotNull()
  @IsInt()
  @Min(1)
  @Max(LARGEST_AMOUNT)
  amount?: number;

  @ApiPropertyOptional({ enum: REASONS, example: 'requested_by_customer' })
  @IsOptional()
  @IsIn(REASONS)
  reason?: RefundReason;
}
