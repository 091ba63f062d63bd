import { type Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { type ErrorCode, systemEntropy } from '#libs/primitives';
import { PROBLEM_TYPE } from './problem.js';
import { PROBLEMS } from './problem-catalogue.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Answers what is no HTTP request, or not yet after its time: with the problem that other requests would get, and the end of the connection. */
export function refuseUnparsed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
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

function codeOf(cause: string | undefined): ErrorCode {
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return cause === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'validation_failed';
}
