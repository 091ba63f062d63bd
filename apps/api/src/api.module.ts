import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { type Config } from '#libs/config';
import { Database } from '#libs/database';
import { IdempotentCommands } from '#libs/idempotency';
import { OutboxBell } from '#libs/jobs';
import { type Orders, Turns } from '#libs/orders';
import { type Clock, systemEntropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { Authenticator } from './callers/authenticate.js';
import { type KeyUsage } from './callers/key-usage.js';
import { ProblemPagesController } from './docs/docs.controller.js';
import { Draining } from './health/draining.js';
import { HealthController } from './health/health.controller.js';
import { MetricsController } from './health/metrics.controller.js';
import { CommandAnswers } from './http/command-answer.js';
import { ProblemFilter } from './http/problem.filter.js';
import { AuditController } from './ops/audit.controller.js';
import { BreakersController } from './ops/breakers.controller.js';
import { FailedJobsController } from './ops/failed-jobs.controller.js';
import { OpenOperationsController } from './ops/open-operations.controller.js';
import { OperatorActions } from './ops/operator-actions.js';
import { QueueAccess } from './ops/queue-access.js';
import { ReconciliationsController } from './ops/reconciliations.controller.js';
import { WebhookEventsController } from './ops/webhook-events.controller.js';
import { ApiKeys } from './keys/api-keys.js';
import { KeysController } from './keys/keys.controller.js';
import { OrderCommandsController } from './orders/order-commands.controller.js';
import { OrderEventsController } from './orders/order-events.controller.js';
import { OrderReader } from './orders/order-reader.js';
import { OrderWatch } from './orders/order-watch.js';
import { OrdersController } from './orders/orders.controller.js';
import { TimelineStreams } from './orders/timeline-stream.js';
import { PricesController } from './prices/prices.controller.js';
import { RefundsController } from './refunds/refunds.controller.js';
import { ShopController } from './shop/shop.controller.js';
import { CLOCK, CONFIG, ENTROPY, LOGGER, ORDERS } from './tokens.js';
import { StripeWebhookController } from './webhooks/stripe-webhook.controller.js';

/** What the API is made of, all of it on this page. */
export interface ApiParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly database: Database;
  readonly bell: OutboxBell;
  readonly usage: KeyUsage;
}

@Module({})
export class ApiModule {
  static of({ config, logger, clock, database, bell, usage }: ApiParts): DynamicModule {
    const orders: Orders = {
      database,
      bell,
      clock,
      entropy: systemEntropy,
      instance: config.instance,
      stripePublishableKey: config.stripe.publishableKey,
      expiresAfterSeconds: config.orderExpiresAfterSeconds,
      turns: new Turns(),
    };
    const commands = new IdempotentCommands({ database, clock, retentionDays: config.idempotencyRetentionDays });
    return {
      module: ApiModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [
        OrdersController,
        OrderEventsController,
        OrderCommandsController,
        RefundsController,
        PricesController,
        KeysController,
        StripeWebhookController,
        HealthController,
        MetricsController,
        ProblemPagesController,
        WebhookEventsController,
        OpenOperationsController,
        FailedJobsController,
        ReconciliationsController,
        BreakersController,
        AuditController,
        // It buys with a development key, and production has none.
        ...(config.development.publishableKeys.length > 0 ? [ShopController] : []),
      ],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: clock },
        { provide: ENTROPY, useValue: systemEntropy },
        { provide: ORDERS, useValue: orders },
        { provide: Database, useValue: database },
        { provide: OutboxBell, useValue: bell },
        { provide: IdempotentCommands, useValue: commands },
        { provide: APP_FILTER, useValue: new ProblemFilter(logger) },
        { provide: Authenticator, useValue: new Authenticator({ config, database, clock, usage }) },
        {
          provide: ApiKeys,
          useValue: new ApiKeys({ database, clock, entropy: systemEntropy, mode: config.stripe.mode, pepper: config.keyPepper }),
        },
        CommandAnswers,
        OrderReader,
        OrderWatch,
        TimelineStreams,
        OperatorActions,
        QueueAccess,
        Draining,
      ],
    };
  }
}
