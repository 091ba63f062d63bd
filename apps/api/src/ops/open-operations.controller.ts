import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { listOpenOperations, type LoggedOperation, retryParkedOperation } from '#libs/payments';
import { DomainError, publicId, uuidOf } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { sendPage } from '../http/page.js';
import { assertEmpty, invalid, parseRequest } from '../http/parse-request.js';
import { OperatorActions } from './operator-actions.js';
import { ListOperationsQuery } from './ops.queries.js';
import { OperationListResponse, OperationResponse } from './ops.responses.js';

/** What is ordered at Stripe and not over, for operators. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/operations')
@Needs('ops', { secretOnly: true })
export class OpenOperationsController {
  constructor(private readonly actions: OperatorActions) {}

  @Get()
  @ApiOperation({ operationId: 'listOperations', summary: "List the open operations of the account's orders, newest first" })
  @ApiOkResponse({ type: OperationListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Query() _query: ListOperationsQuery,
  ): Promise<void> {
    const { limit, startingAfter, status } = parseRequest(ListOperationsQuery, request.query);
    const cursor = startingAfter === undefined ? null : uuidOf('op', startingAfter);
    if (startingAfter !== undefined && cursor === null)
      throw invalid([{ field: 'startingAfter', message: 'must be the id of an operation' }]);
    const filter = { status: status ?? 'parked', limit: Number(limit ?? 10), startingAfter: cursor };
    const { operations, hasMore } = await listOpenOperations(this.actions.database.autocommit, caller, filter);
    sendPage(request, reply, operations.map(viewOperation), hasMore);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryOperation',
    summary: 'Take a parked operation up again',
    description:
      'Stripe is asked first what became of it. It is sent again, under a new key, only if that shows that nothing happened; a refund only after two complete lists, ten minutes apart.',
  })
  @ApiOkResponse({ type: OperationResponse })
  async retry(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    assertEmpty(request.body);
    const operationId = uuidOf('op', id);
    if (operationId === null) throw new DomainError('not_found', 'There is no operation with this id.');
    const { newId, clock } = this.actions;
    const retry = { owner: caller, operationId, outboxId: newId(), timelineId: newId(), now: clock.now() };
    const operation = await this.actions.carryOut(request, caller, { action: 'operation.retry', target: id }, (tx) =>
      retryParkedOperation(tx, retry),
    );
    sendJson(request, reply, 200, JSON.stringify(viewOperation(operation)));
  }
}

function viewOperation({ id, orderId, refundId, ...facts }: LoggedOperation) {
  return {
    id: publicId('op', id),
    object: 'operation' as const,
    order: publicId('ord', orderId),
    refund: refundId === null ? null : publicId('ref', refundId),
    ...facts,
  };
}
