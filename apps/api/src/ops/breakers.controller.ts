import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database } from '#libs/database';
import { listBreakers } from '#libs/payments';
import { censored } from '#libs/telemetry';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Needs } from '../callers/caller.guard.js';
import { sendJson } from '../http/command-answer.js';
import { BreakerListResponse } from './ops.responses.js';

/** What stands between the workers and Stripe. They belong to the installation, and so do they to every operator of it. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/breakers')
@Needs('ops', { secretOnly: true })
export class BreakersController {
  constructor(private readonly database: Database) {}

  @Get()
  @ApiOperation({ operationId: 'listBreakers', summary: 'List the circuit breakers as they are now' })
  @ApiOkResponse({ type: BreakerListResponse })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const breakers = await listBreakers(this.database.autocommit);
    const data = breakers.map(({ name, lastError, ...facts }) => ({
      id: name,
      object: 'breaker' as const,
      ...facts,
      lastError: lastError === null ? null : censored(lastError),
    }));
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }
}
