import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { KEEP_ALIVE } from './connection-watch.js';
import { Prisma, PrismaClient } from './generated/client.js';
import { statementNames } from './statement-names.js';

export { Prisma };

/** What every write takes first: an open transaction, or `Database.autocommit` for a write that is one statement. */
export type Tx = Prisma.TransactionClient;

/** Eight serve 32 concurrent requests as well as thirty-two do, and leave PostgreSQL its cores (measured on 2 cores). */
const POOL_SIZE = 8;
/** A request that finds no connection for this long is answered 503 while its client still waits. */
const POOL_WAIT_MS = 5_000;
/** Every statement here takes milliseconds; one that takes this long waits for something that will not come. */
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5_000;
/** A process that died or hangs in a transaction must not keep its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;

const openTransaction = new AsyncLocalStorage<true>();

/**
 * Throws when called inside a transaction. Every call over the network passes here first: a connection and its row
 * locks held while Stripe thinks would let one slow answer stop all orders.
 */
export function assertNoOpenTransaction(doing: string): void {
  if (openTransaction.getStore()) throw new Error(`bug: ${doing} while a database transaction is open`);
}

interface DatabaseOptions {
  readonly url: string;
  /** Server-side timeouts go out at connection start, which transaction poolers refuse: behind one, set them on the role. */
  readonly behindPooler: boolean;
  readonly onError: (error: Error) => void;
}

/** The one way to PostgreSQL: Prisma's client over one pool that this object owns. */
export class Database {
  /** Runs single statements, each its own transaction. */
  readonly autocommit: Tx;
  readonly #client: PrismaClient;
  readonly #pool: pg.Pool;

  constructor({ url, behindPooler, onError }: DatabaseOptions) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: POOL_SIZE,
      connectionTimeoutMillis: POOL_WAIT_MS,
      ...KEEP_ALIVE,
      application_name: 'oncepay',
      query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
      ...(behindPooler
        ? {}
        : {
            statement_timeout: STATEMENT_TIMEOUT_MS,
            lock_timeout: LOCK_TIMEOUT_MS,
            idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
          }),
    });
    this.#pool.on('error', onError);
    // For moments nobody listens to a client that is handed out, and one that is cut then would end the process. Whoever
    // uses it hears of it by the next statement.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    // After a transaction whose end was never answered, the pool would hand its connection out again as if nothing were.
    this.#pool.on('release', (_error, client) => {
      if (client.getTransactionStatus() !== 'I') client.end().catch(onError);
    });
    this.#client = new PrismaClient({
      adapter: new PrismaPg(this.#pool, {
        onPoolError: onError,
        onConnectionError: onError,
        // Transaction poolers differ in whether they know prepared statements.
        ...(behindPooler ? {} : { statementNameGenerator: statementNames() }),
      }),
      transactionOptions: { maxWait: POOL_WAIT_MS, timeout: STATEMENT_TIMEOUT_MS },
      // The other formats take a stack trace with every query, a tenth of what one costs us, to quote its caller in an error.
      errorFormat: 'minimal',
    });
    this.autocommit = this.#client;
  }

  /** Compiles Prisma's query engine and opens the first connection, so that the first request does not wait for both. */
  async warmUp(): Promise<void> {
    await this.#client.$queryRaw`SELECT 1`;
  }

  /**
   * Runs `work` in one transaction: all of it or nothing. Several times dearer than one statement, so for rare commands.
   * Throws whatever `work` throws, after rolling back.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#client.$transaction((tx) => openTransaction.run(true, () => work(tx)));
  }

  /** Ends the client and its pool; waits for statements under way. */
  async close(): Promise<void> {
    await this.#client.$disconnect();
    await this.#pool.end();
  }
}
