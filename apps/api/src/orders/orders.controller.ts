import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { createOrder, listOrders, type Orders } from '#libs/orders';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { CommandAnswers } from '../http/command-answer.js';
import { sendPage } from '../http/page.js';
import { ORDERS } from '../tokens.js';
import { CreateOrderRequest, parseCreateOrder } from './create-order.request.js';
import { ListOrdersQuery, parseListOrders } from './list-orders.query.js';
import { idIn, OrderReader } from './order-reader.js';
import { OrderListResponse, OrderResponse } from './order.response.js';

@ApiTags('orders')
@ApiBearerAuth()
@Controller('v1/orders')
export class OrdersController {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly answers: CommandAnswers,
    private readonly reader: OrderReader,
  ) {}

  @Post()
  @Needs('orders:write')
  @ApiOperation({
    operationId: 'createOrder',
    summary: 'Create an order, once per Idempotency-Key',
    description: 'Stripe is asked by the worker; read the order, or wait for its status to leave `pending`.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description: '1 to 255 visible ASCII characters; with a publishable key at least 22.',
  })
  @ApiBody({ type: CreateOrderRequest })
  @ApiCreatedResponse({ type: OrderResponse })
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    return this.answers.send(
      request,
      reply,
      caller,
      (claim) => createOrder(this.orders, caller, parseCreateOrder(request.body, caller), claim),
      (location) => this.reader.lookAt(caller, idIn(location)),
    );
  }

  @Get()
  @Needs('orders:read', { secretOnly: true })
  @ApiOperation({ operationId: 'listOrders', summary: 'List orders, newest first' })
  @ApiOkResponse({ type: OrderListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Query() _query: ListOrdersQuery,
  ): Promise<void> {
    const filter = parseListOrders(request.query);
    const { orders, hasMore } = await listOrders(this.orders.database.autocommit, caller, filter);
    const data = orders.map((order) => this.reader.view(order, false));
    sendPage(request, reply, data, hasMore);
  }

  @Get(':id')
  @Needs('orders:read')
  @ApiOperation({ operationId: 'getOrder', summary: 'Read an order' })
  @ApiHeader({ name: 'Oncepay-Client-Secret', required: false, description: "The order's clientSecret; needed with a publishable key." })
  @ApiOkResponse({ type: OrderResponse })
  async get(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    await this.reader.findFor(caller, id, request.headers['oncepay-client-secret']);
    await this.answers.sendRead(request, reply, () => this.reader.lookAt(caller, id));
  }
}
