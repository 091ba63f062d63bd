import { Inject, Injectable } from '@nestjs/common';
import { Database, type Tx } from '#libs/database';
import { OutboxBell } from '#libs/jobs';
import { type Clock, effect, type Entropy } from '#libs/primitives';
import { type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CLOCK, ENTROPY } from '../tokens.js';
import { type AuditedAction, writeAudit } from './audit.store.js';

/** What an operator asks for, and of what. */
interface Ask {
  readonly action: AuditedAction;
  readonly target: string | null;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Does what operators ask for, in one transaction with its line in the audit trail and the jobs it needs. */
@Injectable()
export class OperatorActions {
  constructor(
    readonly database: Database,
    @Inject(CLOCK) readonly clock: Clock,
    @Inject(ENTROPY) readonly entropy: Entropy,
    private readonly bell: OutboxBell,
  ) {}

  /** Runs `work` and writes it down, or neither. Throws what `work` throws. */
  async carryOut<T>(request: FastifyRequest, caller: Caller, ask: Ask, work: (tx: Tx) => Promise<T>): Promise<T> {
    const writeBoth = async (tx: Tx): Promise<T> => {
      const result = await work(tx);
      await writeAudit(tx, { ...ask, caller, requestId: request.id }, this.entropy, this.clock.now());
      return result;
    };
    const done = await effect('api.admin.commit', () => this.database.transaction(writeBoth));
    this.bell.ring();
    return done;
  }

  /** A new database id. */
  readonly newId = (): string => this.entropy.uuid();
}
