import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database, readVitalSigns } from '#libs/database';
import { BREAKERS } from '#libs/payments';
import { renderMetrics } from '#libs/telemetry';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';

/** What Prometheus scrapes. It holds counts and ages only; ADMIN_PORT takes it off the public port. */
@ApiTags('service')
@Controller('metrics')
@Public()
export class MetricsController {
  constructor(private readonly database: Database) {}

  @Get()
  @ApiOperation({
    operationId: 'readMetrics',
    summary: 'Read what is counted',
    description: 'With `ADMIN_PORT` set, it is on that port only.',
  })
  @ApiOkResponse({ description: "Prometheus' text format", content: { 'text/plain': { schema: { type: 'string' } } } })
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { contentType, text } = await renderMetrics(() => readVitalSigns(this.database.autocommit, BREAKERS));
    void reply.type(contentType).header('Cache-Control', 'no-store').send(text);
  }
}
