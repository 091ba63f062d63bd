import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { type ErrorCode, systemEntropy } from '#libs/primitives';
import { PROBLEM_TYPE } from './problem.js';
import { PROBLEMS } from './problem-catalogue.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** What each connection was last asked for. */
const answers = new WeakMap<Socket, ServerResponse>();

/** Answers what is no HTTP request, or not yet after its time: with the problem that other requests would get, and the end of the connection. */
export function refuseUnparsed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const answer = answers.get(socket);
  if (answer?.req.complete === true && !answer.writableFinished) {
    // Rubbish behind a whole request that is being carried out: its sender must not take this refusal for that request's answer.
    answer.once('close', () => socket.destroySoon());
    return;
  }
  const code = codeOf(error.code);
  const { status, title, remedy } = PROBLEMS[code];
  const requestId = `req_${systemEntropy.secret(12)}`;
  // Nobody knows what host was asked: the type is relative to it. Source: RFC 9457, 3.1.1.
  const problem = { type: `/problems/${code}`, title, status, detail: remedy, instance: '/', code, requestId };
  const errors = [{ field: 'request', message: 'is not HTTP' }];
  const body = JSON.stringify(code === 'validation_failed' ? { ...problem, errors } : problem);
  const headers = {
    ...SECURITY_HEADERS,
    'X-Request-Id': requestId,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket.writable) socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  socket.destroySoon();
}

/** Refuses with a problem who asks for a tunnel, to whom Node would say nothing, and remembers what each connection asked for. */
export function watchConnections(server: Server): void {
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('connect', (_request, stream) => {
    if (stream instanceof Socket) refuseUnparsed(new Error('a tunnel was asked for'), stream);
  });
}

function codeOf(cause: string | undefined): ErrorCode {
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return cause === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'validation_failed';
}
