import { Controller, Get, Inject, Param, Put, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Database } from '#libs/database';
import { listPrices, type Price, putPrice } from '#libs/orders';
import { type Clock, CURRENCIES, effect, LARGEST_AMOUNT } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { amountErrors } from '../http/amount-errors.js';
import { assertNoCardNumbers } from '../http/card-numbers.js';
import { invalid, IsText, parseRequest } from '../http/parse-request.js';
import { CLOCK } from '../tokens.js';

const PRICE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The body of PUT /v1/prices/{id}. */
class PutPriceRequest {
  @ApiPropertyOptional({ description: 'As in the path, so that what was read can be written back.', example: 'tshirt' })
  @IsOptional()
  @IsText(1, 100)
  id?: string;

  @ApiProperty({ example: 'T-shirt' })
  @IsText(1, 200)
  name!: string;

  @ApiProperty({ example: 'usd', enum: CURRENCIES })
  @IsIn(CURRENCIES, { message: 'must be the lowercase code of a currency Stripe charges in' })
  currency!: string;

  @ApiProperty({ description: "Integer in Stripe's unit of the currency.", example: 2000, minimum: 0, maximum: LARGEST_AMOUNT })
  @IsInt()
  @Min(0)
  @Max(LARGEST_AMOUNT)
  unitAmount!: number;

  @ApiPropertyOptional({ default: true })
  @IsOptional()
  @IsBoolean()
  active?: boolean;
}

class PriceResponse {
  @ApiProperty({ example: 'tshirt' }) id!: string;
  @ApiProperty({ example: 'T-shirt' }) name!: string;
  @ApiProperty({ example: 'usd' }) currency!: string;
  @ApiProperty({ example: 2000 }) unitAmount!: number;
  @ApiProperty({ example: true }) active!: boolean;
}

class PriceListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [PriceResponse] }) data!: PriceResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty({ type: 'string', nullable: true }) nextCursor!: string | null;
}

@ApiTags('prices')
@ApiBearerAuth()
@Controller('v1/prices')
export class PricesController {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Put(':id')
  @Needs('prices:write', { secretOnly: true })
  @ApiOperation({
    operationId: 'putPrice',
    summary: 'Write a catalogue price; needs no Idempotency-Key, as writing it again changes nothing',
  })
  @ApiBody({ type: PutPriceRequest })
  @ApiOkResponse({ type: PriceResponse })
  async put(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    if (!PRICE_ID.test(id)) throw invalid([{ field: 'id', message: 'must be 1 to 100 letters, digits, dots, dashes and underscores' }]);
    const { id: written, name, currency, unitAmount, active } = parseRequest(PutPriceRequest, request.body);
    const isOther = written != null && written !== id;
    const errors = [
      ...amountErrors(unitAmount, currency, 'unitAmount'),
      ...(isOther ? [{ field: 'id', message: 'must be as in the path' }] : []),
    ];
    if (errors.length > 0) throw invalid(errors);
    // It would stand on every order of it.
    assertNoCardNumbers([{ field: 'name', text: name }]);
    const price: Price = { id, name, currency, unitAmount, active: active ?? true };
    await effect('api.admin.commit', () => putPrice(this.database.autocommit, caller, price, this.clock.now()));
    sendJson(request, reply, 200, JSON.stringify(price));
  }

  @Get()
  @Needs('prices:read')
  @ApiOperation({ operationId: 'listPrices', summary: 'Read the catalogue' })
  @ApiOkResponse({ type: PriceListResponse })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    const data = await listPrices(this.database.autocommit, caller);
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }
}
