import { Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Tx } from '#libs/database';
import { type Claim, type StoredResponse } from '#libs/idempotency';
import { type Clock, DomainError, effect } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { type Caller } from '../callers/caller.js';
import { CommandAnswers, sendJson } from '../http/command-answer.js';
import { assertEmpty } from '../http/parse-request.js';
import { CLOCK } from '../tokens.js';
import { ApiKeys, type MadeKey, viewKey } from './api-keys.js';
import { MakeKeyRequest, parseMakeKey, parseRotateKey, RotateKeyRequest } from './key.requests.js';
import { KeyListResponse, KeyResponse, MadeKeyResponse } from './key.responses.js';

const KEY_HEADER = { name: 'Idempotency-Key', required: true, description: '1 to 255 visible ASCII characters.' };

@ApiTags('keys')
@ApiBearerAuth()
@Controller('v1/keys')
@Needs('keys', { secretOnly: true })
export class KeysController {
  constructor(
    private readonly keys: ApiKeys,
    private readonly answers: CommandAnswers,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'makeKey',
    summary: 'Make an API key',
    description:
      'The key is in this answer only: it is stored as a hash, and a replay has `key: null`. Nobody can give a key more scopes than their own.',
  })
  @ApiHeader(KEY_HEADER)
  @ApiBody({ type: MakeKeyRequest })
  @ApiCreatedResponse({ type: MadeKeyResponse })
  make(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() caller: Caller): Promise<void> {
    return this.#answerWithKey(request, reply, caller, async (tx) => {
      const made = await this.keys.make(tx, parseMakeKey(request.body, caller.accountId, this.clock.now()));
      return assertWithin(made, caller);
    });
  }

  @Get()
  @ApiOperation({ operationId: 'listKeys', summary: "List the account's keys, newest first" })
  @ApiOkResponse({ type: KeyListResponse })
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @CurrentCaller() { accountId }: Caller): Promise<void> {
    const data = (await this.keys.list(this.keys.database.autocommit, accountId)).map(viewKey);
    sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore: false, nextCursor: null }));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getKey', summary: 'Read what is known of a key' })
  @ApiOkResponse({ type: KeyResponse })
  async get(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() { accountId }: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    sendJson(request, reply, 200, JSON.stringify(viewKey(await this.keys.find(this.keys.database.autocommit, id, accountId))));
  }

  @Post(':id/rotate')
  @ApiOperation({
    operationId: 'rotateKey',
    summary: 'Make a key that takes the place of this one, which goes on for a while',
    description: 'Idempotency keys belong to the account, so a request sent with the old key may be repeated with the new one.',
  })
  @ApiHeader(KEY_HEADER)
  @ApiBody({ type: RotateKeyRequest, required: false })
  @ApiCreatedResponse({ type: MadeKeyResponse })
  rotate(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    return this.#answerWithKey(request, reply, caller, async (tx) => {
      const overlapSeconds = parseRotateKey(request.body);
      return assertWithin(await this.keys.rotate(tx, await this.keys.find(tx, id, caller.accountId), overlapSeconds), caller);
    });
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'revokeKey', summary: 'Revoke a key at once; needs no Idempotency-Key, as doing it again changes nothing' })
  @ApiOkResponse({ type: KeyResponse })
  async revoke(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() { accountId }: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    assertEmpty(request.body);
    const tx = this.keys.database.autocommit;
    const known = await this.keys.find(tx, id, accountId);
    const revoked = await effect('api.admin.commit', () => this.keys.revoke(tx, known));
    sendJson(request, reply, 200, JSON.stringify(viewKey(revoked)));
  }

  /** The stored answer is without the key: a database must not hold what opens it. */
  #answerWithKey(request: FastifyRequest, reply: FastifyReply, caller: Caller, work: (tx: Tx) => Promise<MadeKey>): Promise<void> {
    let key: string | null = null;
    const makeKey = async (tx: Tx): Promise<StoredResponse> => {
      const made = await work(tx);
      ({ key } = made);
      const view = viewKey(made.row);
      return { status: 201, location: `/v1/keys/${view.id}`, body: JSON.stringify({ ...view, key: null }) };
    };
    const execute = (claim: Claim) => effect('api.admin.commit', () => claim.inTransaction(makeKey));
    return this.answers.send(request, reply, caller, execute, null, (stored) => JSON.stringify({ ...JSON.parse(stored), key }));
  }
}

/** Thrown inside the transaction, it leaves nothing behind. */
function assertWithin(made: MadeKey, { scopes }: Caller): MadeKey {
  const missing = made.row.scopes.filter((scope) => !scopes.some((own) => own === scope));
  if (missing.length > 0) throw new DomainError('forbidden', `The key cannot give scopes that it lacks: ${missing.join(', ')}.`);
  return made;
}
