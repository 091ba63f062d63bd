import { timingSafeEqual } from 'node:crypto';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { createOrder, findOrder, listOrders, loadTimeline, type Order, type Orders, viewOrder } from '#libs/orders';
import { DomainError, publicId, uuidOf } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { CommandAnswers, sendJson } from '../http/command-answer.js';
import { ORDERS } from '../tokens.js';
import { CreateOrderRequest, parseCreateOrder } from './create-order.request.js';
import { ListOrdersQuery, parseListOrders } from './list-orders.query.js';
import { OrderEventsResponse, OrderListResponse, OrderResponse } from './order.response.js';

@ApiTags('orders')
@ApiBearerAuth()
@Controller('v1/orders')
export class OrdersController {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly answers: CommandAnswers,
  ) {}

  @Post()
  @Needs('orders:write')
  @ApiOperation({ operationId: 'createOrder', summary: 'Create an order, once per Idempotency-Key', description: 'Stripe is asked by the worker; read the order, or wait for its status to leave `pending`.' })
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: '1 to 255 visible ASCII characters; with a publishable key at least 22.' })
  @ApiBody({ type: CreateOrderRequest })
  @ApiCreatedResponse({ type: OrderResponse })
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    return this.answers.send(request, reply, caller, (claim) => createOrder(this.orders, caller, parseCreateOrder(request.body, caller), claim));
  }

  @Get()
  @Needs('orders:read', { secretOnly: true })
  @ApiOperation({ operationId: 'listOrders', summary: 'List orders, newest first' })
  @ApiOkResponse({ type: OrderListResponse })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller, @Query() _query: ListOrdersQuery): Promise<void> {
    const filter = parseListOrders(request.query);
    const { orders, hasMore } = await listOrders(this.orders.database.autocommit, caller, filter);
    const data = orders.map((order) => this.#view(order, false));
    const nextCursor = hasMore ? (data.at(-1)?.id ?? null) : null;
    if (nextCursor !== null) void reply.header('Link', `<${pageAfter(request.url, nextCursor)}>; rel="next"`);
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore, nextCursor }));
  }

  @Get(':id')
  @Needs('orders:read')
  @ApiOperation({ operationId: 'getOrder', summary: 'Read an order' })
  @ApiHeader({ name: 'Oncepay-Client-Secret', required: false, description: "The order's clientSecret; needed with a publishable key." })
  @ApiOkResponse({ type: OrderResponse })
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    const order = await this.#find(caller, id);
    if (caller.audience === 'publishable' && !isSame(order.clientSecret, request.headers['oncepay-client-secret'])) throw noSuchOrder();
    sendJson(request, reply, 200, JSON.stringify(this.#view(order, true)));
  }

  @Get(':id/events')
  @Needs('orders:read', { secretOnly: true })
  @ApiOperation({ operationId: 'listOrderEvents', summary: "Read an order's timeline, oldest first" })
  @ApiOkResponse({ type: OrderEventsResponse })
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    const order = await this.#find(caller, id);
    const lines = await loadTimeline(this.orders.database.autocommit, order.id);
    const data = lines.map(({ id: lineId, type, at, cause, data: facts }) => ({ id: publicId('oev', lineId), type, at: at.toISOString(), cause, data: facts }));
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }

  async #find(caller: Caller, id: string): Promise<Order> {
    const uuid = uuidOf('ord', id);
    const order = uuid === null ? null : await findOrder(this.orders.database.autocommit, caller, uuid);
    if (order === null) throw noSuchOrder();
    return order;
  }

  #view(order: Order, withSecrets: boolean) {
    return viewOrder(order, { stripePublishableKey: this.orders.stripePublishableKey, withSecrets });
  }
}

/** The same for an order of another account and for a wrong secret: nothing tells them apart. */
function noSuchOrder(): DomainError {
  return new DomainError('not_found', 'There is no order with this id.');
}

function isSame(secret: string, given: string | string[] | undefined): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(secret), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function pageAfter(url: string, cursor: string): string {
  const [path = '', query = ''] = url.split('?');
  const params = new URLSearchParams(query);
  params.set('startingAfter', cursor);
  return `${path}?${params.toString()}`;
}
