import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Database, readVitalSigns } from '#libs/database';
import { BREAKERS } from '#libs/payments';
import { renderMetrics } from '#libs/telemetry';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';

/** What Prometheus scrapes. It holds counts and ages only; ADMIN_PORT takes it off the public port. */
@ApiExcludeController()
@Controller('metrics')
@Public()
export class MetricsController {
  constructor(private readonly database: Database) {}

  @Get()
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { contentType, text } = await renderMetrics(() => readVitalSigns(this.database.autocommit, BREAKERS));
    void reply.type(contentType).header('Cache-Control', 'no-store').send(text);
  }
}
