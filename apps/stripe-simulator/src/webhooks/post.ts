import http from 'node:http';
import https from 'node:https';

/** Stripe does not publish how long it waits; ten seconds is what receivers are advised to stay far below. */
const TIMEOUT_MS = 10_000;

/** Posts one payload. Resolves with the status, or with null when there was no answer. */
export async function post(
  url: string,
  payload: string,
  signature: string,
  agents: { http: http.Agent; https: https.Agent },
): Promise<number | null> {
  const secure = url.startsWith('https:');
  const request = secure ? https.request : http.request;
  return new Promise((resolve) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent: secure ? agents.https : agents.http,
        timeout: TIMEOUT_MS,
        headers: {
          'Content-Type': 'application/json; charset=utf-8',
          'Content-Length': String(Buffer.byteLength(payload)),
          'Stripe-Signature': signature,
          'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? null));
        response.once('error', () => resolve(null));
        response.once('close', () => resolve(response.complete ? (response.statusCode ?? null) : null));
      },
    );
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(null));
    outgoing.end(payload);
  });
}
