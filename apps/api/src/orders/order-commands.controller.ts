import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Claim } from '#libs/idempotency';
import { cancelOrder, captureOrder, type Order, type OrderCommand, type Orders, payOrder } from '#libs/orders';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { assertIfMatch, CommandAnswers } from '../http/command-answer.js';
import { assertEmpty, parseOptionalBody, parseRequest } from '../http/parse-request.js';
import { ORDERS } from '../tokens.js';
import { CaptureRequest, PayRequest } from './order-command.requests.js';
import { OrderReader, orderUuid } from './order-reader.js';
import { OrderResponse } from './order.response.js';

const KEY_HEADER = { name: 'Idempotency-Key', required: true, description: '1 to 255 visible ASCII characters.' };
const IF_MATCH_HEADER = { name: 'If-Match', required: false, description: 'The ETag of the order as you last saw it.' };

/** What can be done with an order after it exists. Each answers with the order; `pendingOperation` says what was ordered. */
@ApiTags('orders')
@ApiBearerAuth()
@Controller('v1/orders/:id')
export class OrderCommandsController {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly answers: CommandAnswers,
    private readonly reader: OrderReader,
  ) {}

  @Post('pay')
  @Needs('orders:write', { secretOnly: true })
  @ApiOperation({ operationId: 'payOrder', summary: 'Pay again, with another payment method' })
  @ApiHeader(KEY_HEADER)
  @ApiHeader(IF_MATCH_HEADER)
  @ApiBody({ type: PayRequest })
  @ApiOkResponse({ type: OrderResponse })
  pay(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.#run(request, reply, caller, id, (command) =>
      payOrder(this.orders, command, parseRequest(PayRequest, request.body).paymentMethod),
    );
  }

  @Post('capture')
  @Needs('orders:write', { secretOnly: true })
  @ApiOperation({ operationId: 'captureOrder', summary: 'Capture authorised money, all of it or a part' })
  @ApiHeader(KEY_HEADER)
  @ApiHeader(IF_MATCH_HEADER)
  @ApiBody({ type: CaptureRequest, required: false })
  @ApiOkResponse({ type: OrderResponse })
  capture(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    return this.#run(request, reply, caller, id, (command) =>
      captureOrder(this.orders, command, parseOptionalBody(CaptureRequest, request.body).amount ?? null),
    );
  }

  @Post('cancel')
  @Needs('orders:write', { secretOnly: true })
  @ApiOperation({ operationId: 'cancelOrder', summary: 'Cancel an order that is not paid' })
  @ApiHeader(KEY_HEADER)
  @ApiHeader(IF_MATCH_HEADER)
  @ApiOkResponse({ type: OrderResponse })
  cancel(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    return this.#run(request, reply, caller, id, (command) => {
      assertEmpty(request.body);
      return cancelOrder(this.orders, command);
    });
  }

  #run(
    request: FastifyRequest,
    reply: FastifyReply,
    owner: Caller,
    id: string,
    command: (command: OrderCommand) => ReturnType<typeof payOrder>,
  ): Promise<void> {
    const assertUnchanged = (order: Order): void => assertIfMatch(request, () => JSON.stringify(this.reader.view(order, true)));
    const execute = (claim: Claim): ReturnType<typeof payOrder> => command({ owner, orderId: orderUuid(id), claim, assertUnchanged });
    return this.answers.send(request, reply, owner, execute, () => this.reader.lookAt(owner, id));
  }
}
