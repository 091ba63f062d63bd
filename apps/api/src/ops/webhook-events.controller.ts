import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DomainError, publicId } from '#libs/primitives';
import { findLoggedEvent, listEvents, type LoggedEvent, replayEvent, replayEvents } from '#libs/webhooks';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { sendPage } from '../http/page.js';
import { assertEmpty, invalid, isPlainText, parseRequest } from '../http/parse-request.js';
import { OperatorActions } from './operator-actions.js';
import { ListEventsQuery, ReplayEventsRequest } from './ops.queries.js';
import { EventListResponse, EventResponse, ReplayResponse } from './ops.responses.js';
import { withoutSecrets } from './without-secrets.js';

/** One request replays so many: enough for an hour of a busy shop, few enough for one short transaction. */
const REPLAYED_AT_ONCE = 1_000;

/** The inbox, for operators. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/webhook-events')
@Needs('ops', { secretOnly: true })
export class WebhookEventsController {
  constructor(private readonly actions: OperatorActions) {}

  @Get()
  @ApiOperation({
    operationId: 'listWebhookEvents',
    summary: "List Stripe's events, newest first",
    description: "The events of the account's orders, and those of no known order, which belong to the installation.",
  })
  @ApiOkResponse({ type: EventListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Query() _query: ListEventsQuery,
  ): Promise<void> {
    const { limit, startingAfter, status, type } = parseRequest(ListEventsQuery, request.query);
    const filter = { limit: Number(limit ?? 10), startingAfter: startingAfter ?? null, status: status ?? null, type: type ?? null };
    const { events, hasMore } = await listEvents(this.actions.database.autocommit, caller, filter);
    sendPage(request, reply, events.map(viewEvent), hasMore);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getWebhookEvent', summary: 'Read an event with what Stripe sent, without client secrets' })
  @ApiOkResponse({ type: EventResponse })
  async get(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    sendJson(request, reply, 200, await this.#body(caller, id));
  }

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'replayWebhookEvents',
    summary: 'Apply all events of a type and time once more, the oldest 1000',
    description: 'Where more are left, `continueFrom` is the `from` of the next request. Applying an event twice changes nothing.',
  })
  @ApiBody({ type: ReplayEventsRequest })
  @ApiOkResponse({ type: ReplayResponse })
  async replayMany(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    const { type, from, to } = parseRequest(ReplayEventsRequest, request.body);
    const range = { type, from: new Date(from), to: new Date(to) };
    if (range.from >= range.to) throw invalid([{ field: 'to', message: 'must be later than from' }]);
    const ask = { action: 'webhook_events.replay', target: null, details: { type, from, to } } as const;
    const { count, continueFrom } = await this.actions.carryOut(request, caller, ask, (tx) =>
      replayEvents(tx, caller, range, REPLAYED_AT_ONCE, this.actions.newId),
    );
    const body = { object: 'webhook_event_replay', type, replayed: count, continueFrom: continueFrom?.toISOString() ?? null };
    sendJson(request, reply, 200, JSON.stringify(body));
  }

  @Post(':id/replay')
  @HttpCode(200)
  @ApiOperation({ operationId: 'replayWebhookEvent', summary: 'Apply an event once more' })
  @ApiOkResponse({ type: EventResponse })
  async replay(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    assertEmpty(request.body);
    await this.#body(caller, id);
    await this.actions.carryOut(request, caller, { action: 'webhook_event.replay', target: id }, async (tx) => {
      if (!(await replayEvent(tx, caller, id, this.actions.newId)))
        throw new DomainError('not_retryable', 'What Stripe sent with this event was forgotten: see docs/retention.md.');
    });
    sendJson(request, reply, 200, await this.#body(caller, id));
  }

  async #body(caller: Caller, id: string): Promise<string> {
    const event = isPlainText(id) ? await findLoggedEvent(this.actions.database.autocommit, caller, id) : null;
    if (event === null) throw new DomainError('not_found', 'There is no event with this id.');
    return JSON.stringify({ ...viewEvent(event), payload: withoutSecrets(event.payload) });
  }
}

function viewEvent({ id, type, status, livemode, apiVersion, objectId, orderId, attempts, note, ...rest }: LoggedEvent) {
  return {
    id,
    object: 'webhook_event',
    type,
    status,
    livemode,
    apiVersion,
    stripeObjectId: objectId,
    order: orderId === null ? null : publicId('ord', orderId),
    attempts,
    note,
    isReplayable: rest.isReplayable,
    receivedAt: rest.receivedAt,
    processedAt: rest.processedAt,
  };
}
