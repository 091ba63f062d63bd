import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { loadTimeline, type Orders } from '#libs/orders';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { addVary } from '../http/cors.js';
import { ORDERS } from '../tokens.js';
import { OrderReader } from './order-reader.js';
import { OrderEventsResponse } from './order.response.js';
import { TimelineStreams, viewLine } from './timeline-stream.js';

@ApiTags('orders')
@ApiBearerAuth()
@Controller('v1/orders')
export class OrderEventsController {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly reader: OrderReader,
    private readonly streams: TimelineStreams,
  ) {}

  @Get(':id/events')
  @Needs('orders:read')
  @ApiOperation({
    operationId: 'listOrderEvents',
    summary: "Read an order's timeline, oldest first, or follow it",
    description:
      'With `Accept: text/event-stream` the timeline is sent as server-sent events and goes on as the order does. The id of each event is ' +
      'the id of its line: sent as `Last-Event-ID`, the stream begins after it. A comment is sent every 15 seconds. The stream ends when the ' +
      'server stops or the key is revoked; connect again.',
  })
  @ApiHeader({ name: 'Oncepay-Client-Secret', required: false, description: "The order's clientSecret; needed with a publishable key." })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The id of the last event received; the stream goes on after it.' })
  @ApiOkResponse({
    description: 'The timeline',
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/OrderEventsResponse' } },
      'text/event-stream': { schema: { type: 'string' } },
    },
  })
  @ApiExtraModels(OrderEventsResponse)
  async events(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    const order = await this.reader.findFor(caller, id, request.headers['oncepay-client-secret']);
    addVary(reply, 'Accept');
    // A HEAD request would never see the end of a stream.
    if (request.method === 'GET' && asksForStream(request.headers.accept)) return this.streams.open(request, reply, order);
    const data = (await loadTimeline(this.orders.database.autocommit, order.id)).map(viewLine);
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }
}

/** Whether event streams are among the media types asked for: nobody else names them. */
function asksForStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => /^text\/event-stream\s*(;|$)/i.test(range.trim()));
}
