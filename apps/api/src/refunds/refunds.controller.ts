import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { listRefunds, type Orders, refundOrder, viewRefund } from '#libs/orders';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { CommandAnswers, sendJson } from '../http/command-answer.js';
import { parseOptionalBody } from '../http/parse-request.js';
import { CreateRefundRequest } from '../orders/order-command.requests.js';
import { idIn, OrderReader, orderUuid } from '../orders/order-reader.js';
import { ORDERS } from '../tokens.js';

class RefundResponse {
  @ApiProperty({ example: 'ref_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: ['refund'] }) object!: 'refund';
  @ApiProperty({ example: 'ord_01kax3k6wbf3e9tmgb0jv3c2q4' }) order!: string;
  @ApiProperty({ example: 1000 }) amount!: number;
  @ApiProperty({ example: 'usd' }) currency!: string;
  @ApiProperty({ enum: ['pending', 'succeeded', 'failed', 'canceled'] }) status!: string;
  @ApiProperty({ type: 'string', nullable: true }) reason!: string | null;
  @ApiProperty({ type: 'string', nullable: true }) failureReason!: string | null;
  @ApiProperty({ type: 'string', nullable: true }) stripeRefundId!: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
}

class RefundListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [RefundResponse] }) data!: RefundResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty({ type: 'string', nullable: true }) nextCursor!: string | null;
}

/** Money on its way back. */
@ApiTags('refunds')
@ApiBearerAuth()
@Controller('v1')
export class RefundsController {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly answers: CommandAnswers,
    private readonly reader: OrderReader,
  ) {}

  @Post('orders/:id/refunds')
  @Needs('orders:write', { secretOnly: true })
  @ApiOperation({ operationId: 'createRefund', summary: 'Return all or part of what was captured' })
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '1 to 255 visible ASCII characters.' })
  @ApiBody({ type: CreateRefundRequest, required: false })
  @ApiCreatedResponse({ type: RefundResponse })
  create(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    return this.answers.send(
      request,
      reply,
      caller,
      (claim) => {
        const orderId = orderUuid(id);
        const { amount, reason } = parseOptionalBody(CreateRefundRequest, request.body);
        return refundOrder(this.orders, { owner: caller, orderId, claim }, amount ?? null, reason ?? null);
      },
      (location) => this.reader.lookAtRefund(caller, idIn(location)),
    );
  }

  @Get('orders/:id/refunds')
  @Needs('orders:read', { secretOnly: true })
  @ApiOperation({ operationId: 'listRefunds', summary: 'Read the refunds of an order, newest first' })
  @ApiOkResponse({ type: RefundListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    const order = await this.reader.find(caller, id);
    const data = (await listRefunds(this.orders.database.autocommit, order.id)).map(viewRefund);
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }

  @Get('refunds/:id')
  @Needs('orders:read', { secretOnly: true })
  @ApiOperation({ operationId: 'getRefund', summary: 'Read a refund' })
  @ApiOkResponse({ type: RefundResponse })
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.answers.sendRead(request, reply, () => this.reader.lookAtRefund(caller, id));
  }
}
