import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ordersOfOthers } from '#libs/orders';
import { loadReconciliation, requestReconciliation } from '#libs/payments';
import { DomainError, publicId, uuidOf } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { parseRequest } from '../http/parse-request.js';
import { OperatorActions } from './operator-actions.js';
import { ReconcileRequest } from './ops.queries.js';
import { ReconciliationResponse } from './ops.responses.js';

/** Comparisons with Stripe. One is the installation's, as its account at Stripe is; of its differences each account sees its own. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/reconciliations')
@Needs('ops', { secretOnly: true })
export class ReconciliationsController {
  constructor(@Inject(OperatorActions) private readonly actions: OperatorActions) {}

  @Post()
  @ApiOperation({
    operationId: 'requestReconciliation',
    summary: 'Compare our record with Stripe, both ways',
    description: 'Repairs what can be repaired, unless `dryRun` is true. The report grows while it runs: read it at Location.',
  })
  @ApiBody({ type: ReconcileRequest })
  @ApiCreatedResponse({ type: ReconciliationResponse })
  async request(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    const { dryRun } = parseRequest(ReconcileRequest, request.body);
    const { newId, clock } = this.actions;
    const now = clock.now();
    const ask = { action: 'reconciliation.request', target: null, details: { dryRun } } as const;
    const id = await this.actions.carryOut(request, caller, ask, (tx) =>
      requestReconciliation(tx, { dryRun, requestedBy: caller.keyId, now, newId }),
    );
    void reply.header('Location', `/v1/ops/reconciliations/${publicId('rec', id)}`);
    sendJson(request, reply, 201, await this.#body(caller, id));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getReconciliation', summary: 'Read a reconciliation and its report' })
  @ApiOkResponse({ type: ReconciliationResponse })
  async get(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    sendJson(request, reply, 200, await this.#body(caller, uuidOf('rec', id)));
  }

  async #body(caller: Caller, id: string | null): Promise<string> {
    const tx = this.actions.database.autocommit;
    const reconciliation = id === null ? null : await loadReconciliation(tx, id);
    if (reconciliation === null) throw new DomainError('not_found', 'There is no reconciliation with this id.');
    const { report, id: uuid, ...facts } = reconciliation;
    const differences = report?.differences ?? [];
    const others = await ordersOfOthers(
      tx,
      caller,
      differences.flatMap(({ order }) => (order === null ? [] : (uuidOf('ord', order) ?? []))),
    );
    const own = differences.filter(({ order }) => order === null || !others.has(uuidOf('ord', order) ?? ''));
    const seen = report === null ? null : { ...report, differences: own };
    return JSON.stringify({ id: publicId('rec', uuid), object: 'reconciliation', ...facts, report: seen });
  }
}
