import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Execute, fingerprintOf, IdempotentCommands, parseIdempotencyKey } from '#libs/idempotency';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';

/** Runs the commands of the API under their idempotency keys and gives their answers, stored or new. */
@Injectable()
export class CommandAnswers {
  constructor(private readonly commands: IdempotentCommands) {}

  /**
   * Checks the key, runs `execute` if the key is new, and sends the answer. Validation belongs inside `execute`, so that
   * a stored answer comes before it.
   */
  async send(request: FastifyRequest, reply: FastifyReply, caller: Caller, execute: Execute): Promise<void> {
    const { accountId, mode, audience } = caller;
    const key = parseIdempotencyKey(headerValues(request, 'idempotency-key'), audience);
    const fingerprint = fingerprintOf(request.method, request.url.split('?')[0] ?? '', request.body);
    const answer = await this.commands.run({ scope: { accountId, mode, audience }, key, fingerprint }, execute);
    if (answer.location !== null) void reply.header('Location', answer.location);
    if (answer.replayed) void reply.header('Idempotency-Replayed', 'true');
    sendJson(request, reply, answer.status, answer.body);
  }
}

/** Sends a JSON text with its ETag; 304 to a reader who has it. */
export function sendJson(request: FastifyRequest, reply: FastifyReply, status: number, body: string): void {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  void reply.header('ETag', etag).header('Cache-Control', 'private, no-store');
  if (request.method === 'GET' && matches(request.headers['if-none-match'], etag)) void reply.status(304).send();
  else void reply.status(status).type('application/json; charset=utf-8').send(body);
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
