import { type FastifyReply, type FastifyRequest } from 'fastify';
import { sendJson } from './command-answer.js';

/** Sends one page of a list. The id of its last member is the cursor of the next, which `Link` names too (RFC 8288). */
export function sendPage(request: FastifyRequest, reply: FastifyReply, data: readonly { readonly id: string }[], hasMore: boolean): void {
  const nextCursor = hasMore ? (data.at(-1)?.id ?? null) : null;
  if (nextCursor !== null) void reply.header('Link', `<${pageAfter(request.url, nextCursor)}>; rel="next"`);
  sendJson(request, reply, 200, JSON.stringify({ object: 'list', data, hasMore, nextCursor }));
}

function pageAfter(url: string, cursor: string): string {
  const [path = '', query = ''] = url.split('?');
  const params = new URLSearchParams(query);
  params.set('startingAfter', cursor);
  return `${path}?${params.toString()}`;
}
