import { type IncomingMessage } from 'node:http';

/** What precedes the path in a target such as clients send to proxies, which servers must take too. Source: RFC 9112, 3.2.2. */
const ORIGIN = /^https?:\/\/([^/?#]+)/i;

/** The target of a request from its path on, so that nothing but the router need know that it may begin with more. */
export function targetFromPath({ url = '/' }: IncomingMessage): string {
  const rest = url.replace(ORIGIN, '');
  return rest === url || rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether a target names a host, and not the one that the Host header names, as it must. Source: RFC 9112, 3.2. */
export function isForAnotherHost(target: string, host: string | undefined): boolean {
  const named = ORIGIN.exec(target)?.[1];
  return named !== undefined && host !== undefined && named.toLowerCase() !== host.toLowerCase();
}
