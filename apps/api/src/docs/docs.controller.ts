import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DomainError, type ErrorCode } from '#libs/primitives';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';
import { PROBLEMS } from '../http/problem-catalogue.js';
import { sendPage } from '../http/security-headers.js';
import { html, prose } from './html.js';
import { SHORT_STYLE } from './page-style.js';

/** The pages behind the `type` of every problem. */
@ApiTags('service')
@Controller('problems')
@Public()
export class ProblemPagesController {
  @Get(':code')
  @ApiOperation({ operationId: 'readProblem', summary: 'Read how to mend a problem, at its `type`' })
  @ApiOkResponse({ description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } })
  page(@Param('code') code: string, @Res() reply: FastifyReply): void {
    if (!isCode(code)) throw new DomainError('not_found', 'There is no problem with this code.');
    const { status, title, remedy } = PROBLEMS[code];
    sendPage(reply, {
      title,
      style: SHORT_STYLE,
      body: html`<p class="note">HTTP ${String(status)} <code>${code}</code></p>
        <h1>${title}</h1>
        <p>${prose(remedy)}</p>
        <p class="note"><a href="/docs#problems">All problems</a> · <a href="/docs">API reference</a></p>`.text,
    });
  }
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(PROBLEMS, code);
}
