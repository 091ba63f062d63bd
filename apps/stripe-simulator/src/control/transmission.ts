import { setTimeout as wait } from 'node:timers/promises';
import { clientGone, type Exchange, type Reply, send } from '../http/exchange.js';
import type { ArmedFault } from './faults.js';

/** Whether the whole answer reaches the caller in spite of the fault. */
export function arrivesWhole(fault: ArmedFault | undefined): boolean {
  return fault === undefined || !(fault.action === 'hang' || fault.action === 'reset' || fault.action === 'truncate');
}

/** Sends the answer the way the fault leaves it; without one, plainly. */
export async function transmit(exchange: Exchange, reply: Reply, fault: ArmedFault | undefined): Promise<void> {
  switch (fault?.action) {
    case undefined:
      send(exchange, reply);
      return;
    case 'delay':
      if (fault.phase === 'body') sendHalf(exchange, reply);
      // A delay before the effect has been waited for already.
      if (fault.phase !== 'before') await wait(fault.ms ?? 0);
      if (fault.phase === 'body') exchange.response.end(secondHalf(reply));
      else send(exchange, reply);
      return;
    case 'hang':
      if (fault.phase === 'body') sendHalf(exchange, reply);
      await clientGone(exchange, fault.ms);
      reset(exchange);
      return;
    case 'reset':
      if (fault.phase === 'body') {
        sendHalf(exchange, reply);
        await flushed();
      }
      reset(exchange);
      return;
    case 'truncate':
      sendHalf(exchange, reply);
      await flushed();
      exchange.response.socket?.end();
      exchange.response.destroy();
      return;
    case 'html':
    case 'json':
    case 'garbage':
    case 'unauthorized':
    case 'forbidden':
    case 'conflict':
    case 'rate_limit':
    case 'lock_timeout':
    case 'error':
      send(exchange, reply);
      return;
  }
}

/** The head, announcing the whole body, and its first half. */
function sendHalf({ response }: Exchange, reply: Reply): void {
  response.writeHead(reply.status, { ...reply.headers, 'Content-Length': String(Buffer.byteLength(reply.body)) });
  response.write(reply.body.slice(0, reply.body.length >> 1));
}

function secondHalf(reply: Reply): string {
  return reply.body.slice(reply.body.length >> 1);
}

/** A reset discards what is still to be sent, so the half that should arrive first is given a moment. */
async function flushed(): Promise<void> {
  await wait(20);
}

function reset({ response }: Exchange): void {
  const { socket } = response;
  if (socket === null || socket.destroyed) response.destroy();
  else socket.resetAndDestroy();
}
