import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
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

const text = { type: 'string' };
/** What must be in an event; all else is Stripe's. */
const STRIPE_EVENT = {
  type: 'object',
  required: ['id', 'object', 'type', 'data'],
  properties: {
    id: text,
    object: { type: 'string', enum: ['event'] },
    type: text,
    data: { type: 'object', required: ['object'], properties: { object: { type: 'object' } } },
  },
};
const STORED = { type: 'object', required: ['received'], properties: { received: { type: 'boolean', enum: [true] } } };

/** Takes Stripe's events in: verified, stored once with their job, answered. Work happens in the worker. */
@ApiTags('webhooks')
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
  @ApiOperation({
    operationId: 'receiveWebhook',
    summary: 'Take an event of Stripe',
    description:
      'Stripe sends it, signed over its very bytes; the timestamp of the signature may be 300 seconds off either way. An event is stored once, ' +
      'however often it comes, and applied by the worker. 503 makes Stripe come again.',
  })
  @ApiHeader({ name: 'Stripe-Signature', required: true, description: '`t=` and `v1=` under one of the signing secrets.' })
  @ApiBody({ description: 'A snapshot event of API v1.', schema: STRIPE_EVENT })
  @ApiOkResponse({ description: 'It is stored.', schema: STORED })
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
