import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { DomainError, type ErrorCode } from '#libs/primitives';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';
import { PROBLEMS } from '../http/problem-catalogue.js';
import { sendPage } from '../http/security-headers.js';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem;color:#1a1a2e}code{background:#f0f0f5;padding:.1em .3em;border-radius:4px}';

/** The pages behind the `type` of every problem. */
@ApiExcludeController()
@Controller('problems')
@Public()
export class ProblemPagesController {
  @Get(':code')
  page(@Param('code') code: string, @Res() reply: FastifyReply): void {
    if (!isCode(code)) throw new DomainError('not_found', 'There is no problem with this code.');
    const { status, title, remedy } = PROBLEMS[code];
    sendPage(reply, {
      title,
      style: STYLE,
      body: `<p>HTTP ${status} <code>${code}</code></p><h1>${title}</h1><p>${remedy}</p><p><a href="/docs">API reference</a></p>`,
    });
  }
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(PROBLEMS, code);
}
