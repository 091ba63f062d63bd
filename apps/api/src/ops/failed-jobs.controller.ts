import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FailedJob, insertOutboxRow } from '#libs/jobs';
import { operationsOfOthers } from '#libs/payments';
import { DomainError } from '#libs/primitives';
import { censored } from '#libs/telemetry';
import { eventsOfOthers } from '#libs/webhooks';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { sendPage } from '../http/page.js';
import { assertEmpty, invalid, parseRequest } from '../http/parse-request.js';
import { OperatorActions } from './operator-actions.js';
import { ListJobsQuery } from './ops.queries.js';
import { JobListResponse, JobResponse } from './ops.responses.js';
import { QueueAccess } from './queue-access.js';

/** The most that is read of one queue. Jobs fail for good only where something is broken; then the first thousand tell. */
const LOOKED_AT = 1_000;

/** The jobs that BullMQ gave up, for operators: those of the account's orders, and those of no known order. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/jobs')
@Needs('ops', { secretOnly: true })
export class FailedJobsController {
  constructor(
    private readonly actions: OperatorActions,
    private readonly queue: QueueAccess,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listFailedJobs', summary: 'List failed jobs, the latest first; they are kept for a week' })
  @ApiOkResponse({ type: JobListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Query() _query: ListJobsQuery,
  ): Promise<void> {
    const { limit, startingAfter } = parseRequest(ListJobsQuery, request.query);
    const jobs = await this.#failedJobsOf(caller);
    const last = jobs.findIndex(({ id }) => id === startingAfter);
    if (startingAfter !== undefined && last === -1)
      throw invalid([{ field: 'startingAfter', message: 'must be the nextCursor of a page, of a job that has not been retried since' }]);
    const [from, to] = [last + 1, last + 1 + Number(limit ?? 10)];
    sendPage(request, reply, jobs.slice(from, to).map(viewJob), jobs.length > to);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryJob',
    summary: 'Queue a failed job anew',
    description: 'As a new job with the same payload: `replacedBy` is its id. The failed one is forgotten.',
  })
  @ApiOkResponse({ type: JobResponse })
  async retry(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    assertEmpty(request.body);
    const job = (await this.#failedJobsOf(caller)).find((failed) => failed.id === id);
    if (job === undefined) throw new DomainError('not_found', 'There is no failed job with this id.');
    const { kind, payload } = job;
    const replacedBy = this.actions.newId();
    const ask = { action: 'job.retry', target: id, details: { kind, replacedBy } } as const;
    await this.actions.carryOut(request, caller, ask, (tx) => insertOutboxRow(tx, { id: replacedBy, kind, payload }));
    // Should this be lost, the job can be queued once more, which does no harm.
    await this.queue.use((queues) => queues.remove(job));
    sendJson(request, reply, 200, JSON.stringify({ ...viewJob(job), replacedBy }));
  }

  async #failedJobsOf(caller: Caller): Promise<readonly FailedJob[]> {
    const jobs = await this.queue.use((queues) => queues.listFailed(LOOKED_AT));
    const tx = this.actions.database.autocommit;
    const idsOf = (field: string): string[] => jobs.flatMap(({ payload }) => idIn(payload, field) ?? []);
    const hidden = new Set([
      ...(await operationsOfOthers(tx, caller, idsOf('operationId'))),
      ...(await eventsOfOthers(tx, caller, idsOf('eventId'))),
    ]);
    return jobs.filter(({ payload }) => !hidden.has(idIn(payload, 'operationId') ?? idIn(payload, 'eventId') ?? ''));
  }
}

function idIn(payload: unknown, field: string): string | null {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, field) : null;
  return typeof value === 'string' ? value : null;
}

function viewJob({ reason, ...job }: FailedJob) {
  return { object: 'job' as const, ...job, state: 'failed' as const, reason: censored(reason), replacedBy: null as string | null };
}
