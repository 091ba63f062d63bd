import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Config } from '#libs/config';
import { JobQueues } from '#libs/jobs';
import { DomainError } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { CONFIG, LOGGER } from '../tokens.js';

/** How long a client lets the queue recover before it comes again. */
const RETRY_SECONDS = 5;

/** The queue, for operators and health alone: the API takes orders without it. */
@Injectable()
export class QueueAccess implements OnApplicationShutdown {
  #queues: JobQueues | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Uses the queue. Throws DomainError unavailable when it does not answer. */
  async use<T>(work: (queues: JobQueues) => Promise<T>): Promise<T> {
    const { redisUrl, database, instance } = this.config;
    const onError = (error: Error): void => this.logger.warn({ error }, 'the queue was lost');
    this.#queues ??= new JobQueues({ redisUrl, databaseUrl: database.directUrl, instance, onError });
    try {
      return await work(this.#queues);
    } catch (cause) {
      throw new DomainError('unavailable', 'The queue does not answer.', { retryAfterSeconds: RETRY_SECONDS, cause });
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#queues?.close();
  }
}
