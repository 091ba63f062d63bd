import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Database } from '#libs/database';
import { publicId, uuidOf } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { CurrentCaller, Needs } from '../callers/caller.guard.js';
import { sendPage } from '../http/page.js';
import { invalid, parseRequest } from '../http/parse-request.js';
import { listAudit } from './audit.store.js';
import { ListAuditQuery } from './ops.queries.js';
import { AuditListResponse } from './ops.responses.js';

/** Who did what. */
@ApiTags('ops')
@ApiBearerAuth()
@Controller('v1/ops/audit')
@Needs('ops', { secretOnly: true })
export class AuditController {
  constructor(private readonly database: Database) {}

  @Get()
  @ApiOperation({ operationId: 'listAudit', summary: "List what operators did with the account's keys, newest first" })
  @ApiOkResponse({ type: AuditListResponse })
  async list(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Query() _query: ListAuditQuery,
  ): Promise<void> {
    const { limit, startingAfter } = parseRequest(ListAuditQuery, request.query);
    const cursor = startingAfter === undefined ? null : uuidOf('aud', startingAfter);
    if (startingAfter !== undefined && cursor === null)
      throw invalid([{ field: 'startingAfter', message: 'must be the nextCursor of a page' }]);
    const page = { limit: Number(limit ?? 10), startingAfter: cursor };
    const { entries, hasMore } = await listAudit(this.database.autocommit, caller, page);
    const data = entries.map(({ id, ...entry }) => ({ id: publicId('aud', id), object: 'audit_entry' as const, ...entry }));
    sendPage(request, reply, data, hasMore);
  }
}
