import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsUrl,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { type OrderRequest, type RequestedItem } from '#libs/orders';
import { CURRENCIES, type FieldError, LARGEST_AMOUNT } from '#libs/primitives';
import { assertNoCardNumbers } from '../http/card-numbers.js';
import { invalid, isPlainText, IsText, parseRequest } from '../http/parse-request.js';
import { type Caller } from '../callers/caller.js';

const METADATA_KEYS_MAX = 45;

/** Stripe's limits less our own five entries; `oncepay_` is ours. Source: docs.stripe.com/api/metadata. */
function IsMetadata(): PropertyDecorator {
  const isEntry = ([key, value]: [string, unknown]): boolean =>
    key.length >= 1 &&
    key.length <= 40 &&
    !/[[\]]/.test(key) &&
    isPlainText(key) &&
    !key.startsWith('oncepay_') &&
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= 500 &&
    value.isWellFormed() &&
    !value.includes('\u0000');
  return ValidateBy({
    name: 'isMetadata',
    validator: {
      validate: (value: unknown) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
        const entries = Object.entries(value);
        return entries.length <= METADATA_KEYS_MAX && entries.every(isEntry);
      },
      defaultMessage: () =>
        `must have at most ${METADATA_KEYS_MAX} entries: keys of 1 to 40 characters without square brackets, not starting with oncepay_; values texts of 1 to 500 characters`,
    },
  });
}

class OrderItemRequest {
  @ApiPropertyOptional({ description: 'Id of a catalogue price. Excludes name and unitAmount.', example: 'tshirt' })
  @IsOptional()
  @IsText(1, 200)
  price?: string;

  @ApiPropertyOptional({ description: 'What the buyer reads; only with a secret key.', example: 'Gift wrap' })
  @IsOptional()
  @IsText(1, 200)
  name?: string;

  @ApiPropertyOptional({
    description: "Integer in Stripe's unit of the currency; only with a secret key.",
    example: 300,
    minimum: 0,
    maximum: LARGEST_AMOUNT,
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  // What is too much to charge is refused as the total: it depends on the currency.
  @Max(Number.MAX_SAFE_INTEGER)
  unitAmount?: number;

  @ApiProperty({ example: 2, minimum: 1, maximum: 10_000 })
  @IsInt()
  @Min(1)
  @Max(10_000)
  quantity!: number;
}

class CustomerRequest {
  @ApiPropertyOptional({ example: 'ada@example.com' })
  @IsOptional()
  @IsEmail({}, { message: 'must be an email address' })
  @IsText(3, 254)
  email?: string;

  @ApiPropertyOptional({ example: 'Ada' })
  @IsOptional()
  @IsText(1, 200)
  name?: string;

  @ApiPropertyOptional({
    description: 'A customer at Stripe whose saved cards may be used, as an order with saveCard showed it; only with a secret key.',
    example: 'cus_NffrFeUfNV2Hib',
  })
  @IsOptional()
  @Matches(/^cus_\w{1,200}$/, { message: 'must be the id of a Stripe customer: cus_…' })
  stripeCustomerId?: string;
}

/** The body of POST /v1/orders. */
export class CreateOrderRequest {
  @ApiProperty({ description: 'Lowercase ISO code.', example: 'usd', enum: CURRENCIES })
  @IsIn(CURRENCIES, { message: 'must be the lowercase code of a currency Stripe charges in' })
  currency!: string;

  @ApiProperty({ type: [OrderItemRequest], minItems: 1, maxItems: 100 })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => OrderItemRequest)
  items!: OrderItemRequest[];

  @ApiPropertyOptional({ type: CustomerRequest })
  @IsOptional()
  // ValidateNested alone also takes a list, whose members nobody would read.
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => CustomerRequest)
  customer?: CustomerRequest;

  @ApiPropertyOptional({ description: 'Your own name for the order, such as a cart id.', example: 'cart-4711' })
  @IsOptional()
  @IsText(1, 200)
  reference?: string;

  @ApiPropertyOptional({
    description: 'Sent on to Stripe beside ours.',
    example: { k: 'v' },
    type: Object,
    additionalProperties: { type: 'string' },
  })
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string>;

  @ApiPropertyOptional({ description: 'With it the worker confirms; without it the browser does.', example: 'pm_card_visa' })
  @IsOptional()
  @Matches(/^pm_\w{1,200}$/, { message: 'must be the id of a Stripe payment method: pm_…' })
  paymentMethod?: string;

  @ApiPropertyOptional({ enum: ['automatic', 'manual'], default: 'automatic' })
  @IsOptional()
  @IsIn(['automatic', 'manual'])
  captureMethod?: 'automatic' | 'manual';

  @ApiPropertyOptional({
    enum: ['elements', 'hosted'],
    default: 'elements',
    description:
      "`hosted`: the buyer pays on Stripe's page, whose address is `payment.url` once the order requires a payment. Requires returnUrl, excludes paymentMethod.",
  })
  @IsOptional()
  @IsIn(['elements', 'hosted'])
  checkout?: 'elements' | 'hosted';

  @ApiPropertyOptional({
    description: 'Where the buyer comes back to; without it, methods that leave the page are excluded.',
    example: 'https://shop.example/return',
  })
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: 'must be an http(s) URL' })
  @IsText(1, 2_000)
  returnUrl?: string;

  @ApiPropertyOptional({
    description:
      'Keeps the card with a customer at Stripe, for orders with offSession. Needs customer.email, or customer.stripeCustomerId.',
    default: false,
  })
  @IsOptional()
  @IsBoolean()
  saveCard?: boolean;

  @ApiPropertyOptional({
    description: 'Charges a saved card while the buyer is away. Needs customer.stripeCustomerId and paymentMethod; only with a secret key.',
    default: false,
  })
  @IsOptional()
  @IsBoolean()
  offSession?: boolean;
}

/** Checks the body of POST /v1/orders and brings it into the form the orders lib takes. Throws DomainError validation_failed. */
export function parseCreateOrder(body: unknown, caller: Caller): OrderRequest {
  refuseCardNumbers(body);
  const request = parseRequest(CreateOrderRequest, body);
  const errors: FieldError[] = [];
  const items = request.items.map((item, index) => itemOf(item, `items.${index}`, errors));
  if (request.returnUrl != null) errors.push(...originErrors(request.returnUrl, caller));
  if (request.checkout === 'hosted') errors.push(...hostedErrors(request));
  errors.push(...savedCardErrors(request, caller));
  if (errors.length > 0) throw invalid(errors);
  return {
    currency: request.currency,
    items: items.filter((item) => item !== null),
    customer: request.customer
      ? {
          email: request.customer.email ?? null,
          name: request.customer.name ?? null,
          stripeCustomerId: request.customer.stripeCustomerId ?? null,
        }
      : null,
    reference: request.reference ?? null,
    metadata: request.metadata ?? {},
    paymentMethod: request.paymentMethod ?? null,
    captureMethod: request.captureMethod ?? 'automatic',
    checkout: request.checkout ?? 'elements',
    returnUrl: request.returnUrl ?? null,
    saveCard: request.saveCard ?? false,
    offSession: request.offSession ?? false,
  };
}

/** Whoever sends a card number has misunderstood, and it must not get as far as a database. References and metadata may hold any number. */
function refuseCardNumbers(body: unknown): void {
  assertNoCardNumbers([
    ...textsIn(memberOf(body, 'customer'), 'customer'),
    ...listOf(memberOf(body, 'items')).map((item, index) => ({ field: `items.${index}.name`, text: String(memberOf(item, 'name')) })),
  ]);
}

function textsIn(value: unknown, field: string): { field: string; text: string }[] {
  if (typeof value !== 'object' || value === null) return [{ field, text: String(value) }];
  return Object.entries(value).flatMap(([name, member]) => textsIn(member, `${field}.${name}`));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function itemOf({ price, name, unitAmount, quantity }: OrderItemRequest, field: string, errors: FieldError[]): RequestedItem | null {
  if (price != null && name == null && unitAmount == null) return { price, quantity };
  if (price == null && name != null && unitAmount != null) return { name, unitAmount, quantity };
  errors.push({ field, message: 'must have either price, or name and unitAmount' });
  return null;
}

function hostedErrors({ returnUrl, paymentMethod }: CreateOrderRequest): FieldError[] {
  return [
    ...(returnUrl == null ? [{ field: 'returnUrl', message: 'is required where checkout is hosted: the buyer comes back to it' }] : []),
    ...(paymentMethod == null
      ? []
      : [{ field: 'paymentMethod', message: "must not be given where checkout is hosted: the buyer chooses it on Stripe's page" }]),
  ];
}

/** Whoever names a customer can charge their cards, so a key that lies open in a browser never does. */
function savedCardErrors({ customer, saveCard, offSession, paymentMethod }: CreateOrderRequest, { audience }: Caller): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (isWrong: boolean, field: string, message: string): void => {
    if (isWrong) errors.push({ field, message });
  };
  const isKnown = customer?.stripeCustomerId != null;
  refuse(isKnown && audience === 'publishable', 'customer.stripeCustomerId', 'must not be named with a publishable key');
  refuse(saveCard === true && !isKnown && customer?.email == null, 'customer.email', 'is needed to save the card');
  if (offSession !== true) return errors;
  refuse(audience === 'publishable', 'offSession', 'must not be asked for with a publishable key');
  refuse(!isKnown, 'customer.stripeCustomerId', 'is needed to charge a saved card');
  refuse(paymentMethod == null, 'paymentMethod', 'is needed to charge a saved card');
  refuse(saveCard === true, 'saveCard', 'must not be asked for with offSession: the card is saved already');
  return errors;
}

/** What passes for a URL by its looks may still be none by the rules that browsers follow. */
function originErrors(url: string, { audience, origins }: Caller): FieldError[] {
  if (!URL.canParse(url)) return [{ field: 'returnUrl', message: 'must be an http(s) URL' }];
  if (audience === 'secret' || origins === null || origins.includes(new URL(url).origin)) return [];
  return [{ field: 'returnUrl', message: "must be on one of the publishable key's origins" }];
}
