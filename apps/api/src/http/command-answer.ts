import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Execute, fingerprintOf, IdempotentCommands, parseIdempotencyKey } from '#libs/idempotency';
import { DomainError } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { Draining } from '../health/draining.js';
import { OrderWatch } from '../orders/order-watch.js';
import { type Snapshot, waitForSettled, waitSeconds } from './prefer-wait.js';
import { pathOf, PROBLEM_TYPE, problemOf } from './problem.js';
import { PROBLEMS } from './problem-catalogue.js';
import { UnreadableBody } from './unreadable-body.js';

/** Of a body that cannot be read: no stored answer ever has it, as such a request is never carried out. */
const UNREADABLE = 'unreadable';

/** Reads what a command's Location names, as it is now. */
export type LookAt = (location: string) => Promise<Snapshot>;

/** Runs the commands of the API under their idempotency keys and gives their answers, stored or new. */
@Injectable()
export class CommandAnswers {
  constructor(
    private readonly commands: IdempotentCommands,
    private readonly draining: Draining,
    private readonly watch: OrderWatch,
  ) {}

  /**
   * Checks the key, runs `execute` if the key is new, and sends the answer. Validation belongs inside `execute`, so that
   * a stored answer comes before it. With `Prefer: wait`, status and Location are the command's own and the body is the
   * resource once it has settled. `shownOnce` adds to the first answer what must not be stored.
   */
  async send(
    request: FastifyRequest,
    reply: FastifyReply,
    caller: Caller,
    execute: Execute,
    lookAt: LookAt | null,
    shownOnce: (stored: string) => string = (stored) => stored,
  ): Promise<void> {
    const { accountId, mode, audience } = caller;
    const key = parseIdempotencyKey(headerValues(request, 'idempotency-key'), audience);
    const fingerprint = request.body instanceof UnreadableBody ? UNREADABLE : fingerprintOf(request.method, pathOf(request), request.body);
    const render = (refusal: DomainError) => ({
      status: PROBLEMS[refusal.code].status,
      location: null,
      body: JSON.stringify(problemOf(refusal, request)),
    });
    const answer = await this.commands.run({ scope: { accountId, mode, audience }, key, fingerprint }, execute, render);
    if (answer.replayed) void reply.header('Idempotency-Replayed', 'true');
    if (answer.status >= 400) return void reply.status(answer.status).type(PROBLEM_TYPE).send(answer.body);
    const { location } = answer;
    if (location !== null) void reply.header('Location', location);
    const body = location === null || lookAt === null ? null : await this.#waited(request, reply, () => lookAt(location));
    sendJson(request, reply, answer.status, body ?? (answer.replayed ? answer.body : shownOnce(answer.body)));
  }

  /** Answers a read, held back as `Prefer: wait` asks. */
  async sendRead(request: FastifyRequest, reply: FastifyReply, look: () => Promise<Snapshot>): Promise<void> {
    sendJson(request, reply, 200, (await this.#waited(request, reply, look)) ?? (await look()).body);
  }

  async #waited(request: FastifyRequest, reply: FastifyReply, look: () => Promise<Snapshot>): Promise<string | null> {
    const seconds = waitSeconds(request.headers.prefer);
    if (seconds === null) return null;
    void reply.header('Preference-Applied', `wait=${seconds}`);
    return (await waitForSettled(look, seconds, { watch: this.watch, draining: this.draining })).body;
  }
}

/** Sends a JSON text with its ETag; 304 to a reader who has it. */
export function sendJson(request: FastifyRequest, reply: FastifyReply, status: number, body: string): void {
  const etag = etagOf(body);
  void reply.header('ETag', etag).header('Cache-Control', 'private, no-store');
  if ((request.method === 'GET' || request.method === 'HEAD') && matches(request.headers['if-none-match'], etag))
    void reply.status(304).send();
  else void reply.status(status).type('application/json; charset=utf-8').send(body);
}

/** Refuses a command whose If-Match names another state than that of `body`. Strong comparison (RFC 9110, 13.1.1). Throws DomainError. */
export function assertIfMatch(request: FastifyRequest, body: () => string): void {
  const header = request.headers['if-match'];
  if (header === undefined) return;
  const etag = etagOf(body());
  if (header.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag)) return;
  throw new DomainError('precondition_failed', 'The order is no longer as you last saw it.');
}

/** The bytes themselves name the state: whatever changes in a body changes its ETag. */
function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}

/** Weak comparison, as RFC 9110, 13.1.2 asks of If-None-Match. */
function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** Every value a header was sent with: Node joins repeated ones, which would hide that there were two. */
function headerValues(request: FastifyRequest, name: string): readonly string[] {
  const raw = request.raw.rawHeaders;
  return raw.flatMap((_, index) => (index % 2 === 0 && raw[index]?.toLowerCase() === name ? [raw[index + 1] ?? ''] : []));
}
