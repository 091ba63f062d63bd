import openapiTypescript, { astToString } from 'openapi-typescript';

const HEADER = '// Written by `npm run generate` from openapi.json. Do not edit.\n\n';

/** The types of the TypeScript client, from the text of an OpenAPI document. */
export async function clientTypes(openApi: string): Promise<string> {
  return HEADER + astToString(await openapiTypescript(openApi, { defaultNonNullable: false }));
}
