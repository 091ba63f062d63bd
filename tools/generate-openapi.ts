import { loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { createApi } from '../apps/api/src/api.js';

/** Never connected to: the document is made from the routes alone. */
const NO_DATABASE = 'postgresql://nobody@127.0.0.1:1/nothing';

/** What a running API answers to GET /openapi.json, laid out for reviews. */
export async function openApiText(): Promise<string> {
  const api = await createApi(loadConfig({ DATABASE_URL: NO_DATABASE, LOG_LEVEL: 'silent' }), createLogger('generate', 'silent'));
  try {
    const answer = await api.app.inject({ method: 'GET', url: '/openapi.json' });
    return `${JSON.stringify(JSON.parse(answer.payload), null, 2)}\n`;
  } finally {
    await api.close();
  }
}
