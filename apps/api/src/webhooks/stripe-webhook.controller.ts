import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Config } from '#libs/config';
import { Database } from '#libs/database';
import { OutboxBell } from '#libs/jobs';
import { verifyWebhook } from '#libs/payments';
import { type Clock, effect, type Entropy } from '#libs/primitives';
import { countDuplicate } from '#libs/telemetry';
import { receiveEvent, subjectOf } from '#libs/webhooks';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Public } from '../callers/caller.guard.js';
import { CLOCK, CONFIG, ENTROPY } from '../tokens.js';

const RECEIVED = '{"received":true}';

/** Takes Stripe's events in: verified, stored once with their job, answered. Work happens in the worker. */
@ApiExcludeController()
@Controller('webhooks/stripe')
export class StripeWebhookController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(ENTROPY) private readonly entropy: Entropy,
    private readonly database: Database,
    private readonly bell: OutboxBell,
  ) {}

  @Post()
  @Public()
  async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = request.headers['stripe-signature'];
    // Signatures carry the wall clock, whatever a virtual one says.
    const event = verifyWebhook(body, Array.isArray(header) ? header.join(',') : header, this.config.stripe.webhookSecrets, new Date());
    const jobId = subjectOf(event.type) === null ? null : this.entropy.uuid();
    const isNew = await effect('api.webhook.commit', () => receiveEvent(this.database.autocommit, event, jobId, this.clock.now()));
    if (!isNew) countDuplicate('webhook');
    else if (jobId !== null) this.bell.ring();
    void reply.status(200).type('application/json; charset=utf-8').send(RECEIVED);
  }
}
