import openapiTypescript, { astToString } from 'openapi-typescript';

const HEADER = '// Written by `npm run generate` from openapi.json. Do not edit.\n\n';

/** The types of the TypeScript client, from the text of an OpenAPI document: of the API, not of webhooks, health and pages. */
export async function clientTypes(openApi: string): Promise<string> {
  const document: { paths: Record<string, object> } = JSON.parse(openApi);
  const paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => path.startsWith('/v1/')));
  return HEADER + astToString(await openapiTypescript(JSON.stringify({ ...document, paths }), { defaultNonNullable: false }));
}
