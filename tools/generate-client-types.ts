import openapiTypescript, { astToString } from 'openapi-typescript';
import { PROBLEMS } from '../apps/api/src/http/problem-catalogue.js';

const HEADER = '// Written by `npm run generate` from openapi.json and the problem catalogue. Do not edit.\n\n';

/** The types of the TypeScript client, from the text of an OpenAPI document. */
export async function clientTypes(openApi: string): Promise<string> {
  return HEADER + astToString(await openapiTypescript(openApi, { defaultNonNullable: false }));
}

/** Every code a problem can have. */
export function clientProblemCodes(): string {
  const codes = Object.keys(PROBLEMS).map((code) => `  | '${code}'`);
  return `${HEADER}/** Why a request was refused; each is a page of the API under /problems/. */\nexport type ProblemCode =\n${codes.join('\n')};\n`;
}
