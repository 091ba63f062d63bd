import { Agent, request } from 'node:http';
import { type Answer } from '../support/http-client.js';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
}

/** Sends what no fetch would: a path as it is spelt, a header twice, a host of one's own. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async send(wire: WireRequest): Promise<Answer> {
    try {
      return await this.#once(wire);
    } catch (error) {
      // Our last request may have made the server close the connection, just as the agent took it for this one.
      if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return this.#once(wire);
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once({ method, url, headers, body }: WireRequest): Promise<Answer> {
    const [, origin = '', path = '/'] = /^(https?:\/\/[^/]+)(.*)$/.exec(url) ?? [];
    return new Promise((resolve, reject) => {
      const length =
        body === null || headers.some(([name]) => name === 'Transfer-Encoding') ? [] : [['Content-Length', String(body.length)] as const];
      const sent = request(origin, { method, path, agent: this.#agent, headers: grouped([...headers, ...length]) }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const all = Object.entries(response.headers).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, [value].flat().join(', ')] as [string, string]],
          );
          resolve({ status: response.statusCode ?? 0, headers: new Headers(all), text, json: jsonOf(text) });
        });
      });
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  }
}

/** The same request for a shell. */
export function asCurl({ method, url, headers, body }: WireRequest): string {
  const lines = [
    `curl -i --path-as-is -g -X ${method} ${quoted(url)}`,
    ...headers.map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)}`),
  ];
  if (body === null) return lines.join(' \\\n');
  return `echo ${body.toString('base64')} | base64 -d | ${[...lines, '  --data-binary @-'].join(' \\\n')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function grouped(headers: WireRequest['headers']): Record<string, string | string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of headers) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries([...all].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return { ...Object(JSON.parse(text)) };
  } catch {
    return {};
  }
}
