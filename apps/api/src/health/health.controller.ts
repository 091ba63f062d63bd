import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get, HttpException, Inject, Res } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { type Config } from '#libs/config';
import { Database, isMigrated, MIGRATIONS_FOLDER, readBacklog } from '#libs/database';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';
import { QueueAccess } from '../ops/queue-access.js';
import { CONFIG } from '../tokens.js';
import { Draining } from './draining.js';

/** Longer than a healthy answer ever takes, shorter than an orchestrator's patience. */
const CHECK_TIMEOUT_MS = 3_000;
/** For what is only told of: nobody may lose patience with an API because of it. */
const REPORT_TIMEOUT_MS = 800;

const PARTS = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['up', 'down'] } },
    additionalProperties: true,
  },
};
const HEALTH = {
  type: 'object',
  required: ['status', 'details'],
  properties: {
    status: { type: 'string', enum: ['ok', 'error', 'shutting_down'] },
    info: { ...PARTS, description: 'What is up.' },
    error: { ...PARTS, description: 'What is down.' },
    details: { ...PARTS, description: 'Both, and what is only told of.' },
  },
};

const WELL = { description: 'All is well.', schema: HEALTH };

/** Tells orchestrators and operators how the API is. Stripe is never part of it: with Stripe down, orders are still accepted. */
@ApiTags('service')
@ApiServiceUnavailableResponse({ description: 'Something is not; `error` says what.', schema: HEALTH })
@Controller('health')
@Public()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: HealthIndicatorService,
    private readonly database: Database,
    private readonly draining: Draining,
    private readonly queue: QueueAccess,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** That this answers shows that the event loop turns. */
  @Get('live')
  @ApiOperation({ operationId: 'isLive', summary: 'Whether the process makes progress' })
  @ApiOkResponse(WELL)
  live(@Res() reply: FastifyReply): Promise<void> {
    return this.#answer(reply, []);
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'isReady',
    summary: 'Whether requests should be sent here',
    description: 'Database, migrations, and whether the process is not about to stop. The queue is told of without deciding the answer.',
  })
  @ApiOkResponse(WELL)
  ready(@Res() reply: FastifyReply): Promise<void> {
    return this.#answer(
      reply,
      [
        () => this.#isUp('database', this.#database()),
        () => this.#isUp('migrations', this.#migrations()),
        () => this.#isUp('accepting', Promise.resolve(!this.draining.hasBegun)),
      ],
      () => this.#isUp('queue', this.#queue(), REPORT_TIMEOUT_MS),
    );
  }

  @Get('backlog')
  @ApiOperation({
    operationId: 'readBacklog',
    summary: 'Whether work is done in time',
    description: 'How long the oldest operation, outbox row and event are overdue, and how long each may be.',
  })
  @ApiOkResponse(WELL)
  async backlog(@Res() reply: FastifyReply): Promise<void> {
    await this.#answer(reply, [() => this.#backlog()]);
  }

  /** `report`: what is told of without deciding the answer. */
  async #answer(
    reply: FastifyReply,
    checks: (() => Promise<HealthIndicatorResult>)[],
    report: () => Promise<HealthIndicatorResult> = async () => ({}),
  ): Promise<void> {
    const [result, reported] = await Promise.all([this.health.check(checks).catch((error: unknown) => resultOf(error)), report()]);
    void reply
      .status(result.status === 'ok' ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send({ ...result, details: { ...result.details, ...reported } });
  }

  async #isUp(name: string, check: Promise<boolean>, timeoutMs = CHECK_TIMEOUT_MS): Promise<HealthIndicatorResult> {
    const session = this.indicator.check(name);
    // What the driver says quotes the connection; the public answer is only that it does not work.
    const late = delay(timeoutMs, false, { ref: false });
    return (await Promise.race([check.catch(() => false), late])) ? session.up() : session.down();
  }

  async #database(): Promise<boolean> {
    await this.database.warmUp();
    return true;
  }

  /** Orders are taken without it. */
  async #queue(): Promise<boolean> {
    await this.queue.use((queues) => queues.ping());
    return true;
  }

  #migrations(): Promise<boolean> {
    return isMigrated(this.config.database.directUrl, MIGRATIONS_FOLDER);
  }

  async #backlog(): Promise<HealthIndicatorResult> {
    const session = this.indicator.check('backlog');
    try {
      const { isLate, facts } = await readBacklog(this.database.autocommit);
      return isLate ? session.down({ ...facts }) : session.up({ ...facts });
    } catch {
      return session.down();
    }
  }
}

/** terminus throws when something is down; the result rides on the exception. */
function resultOf(error: unknown): HealthCheckResult {
  const response = error instanceof HttpException ? error.getResponse() : null;
  if (typeof response === 'object' && response !== null && 'status' in response && 'details' in response)
    return response as HealthCheckResult;
  return { status: 'error', details: {} };
}
