import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** A JSON Schema, as far as the document goes. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly examples?: Readonly<Record<string, { value: unknown }>> }>>;

interface Declared {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}

/** One operation of the API, as its document describes it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly query: readonly { readonly name: string; readonly schema: Schema }[];
  readonly headers: readonly string[];
  readonly body: { readonly schema: Schema; readonly examples: readonly unknown[] } | null;
  /** By status: what the body of the answer must be, null where there is none to check; `default` is every refusal. */
  readonly answers: ReadonlyMap<string, ValidateFunction | null>;
  /** Media types of a success. */
  readonly types: readonly string[];
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The committed OpenAPI document, ready to make requests from and to hold answers against. */
export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #document: { paths: Record<string, Record<string, Declared>>; components: Record<string, Record<string, Schema>> };
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': INSTANT } });
  readonly #problem: ValidateFunction;

  constructor(file = resolve(import.meta.dirname, '../../../openapi.json')) {
    this.#document = JSON.parse(readFileSync(file, 'utf8'));
    this.#ajv.addSchema(closed(this.#document), 'openapi');
    this.#problem = this.#ajv.compile({ $ref: 'openapi#/components/schemas/Problem' });
    this.operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, declared]) => this.#operation(path, method.toUpperCase(), declared)),
    );
  }

  /** The schema behind a reference. */
  resolve(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : (this.#document.components['schemas']?.[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  }

  #operation(path: string, method: string, { operationId, parameters = [], requestBody, responses }: Declared): Operation {
    const json = requestBody?.content['application/json'];
    return {
      id: operationId,
      method,
      path,
      query: parameters.filter((parameter) => parameter.in === 'query'),
      headers: parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
      body: json === undefined ? null : { schema: json.schema, examples: Object.values(json.examples ?? {}).map(({ value }) => value) },
      answers: new Map(Object.entries(responses).map(([status, answer]) => [status, this.#validator(answer)])),
      types: Object.entries(responses).flatMap(([status, { content = {} }]) => (status.startsWith('2') ? Object.keys(content) : [])),
    };
  }

  #validator({ $ref, content }: Declared['responses'][string]): ValidateFunction | null {
    if ($ref !== undefined) return this.#problem;
    const schema = content?.['application/json']?.schema;
    return schema === undefined ? null : this.#ajv.compile(JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/', '"openapi#/')));
  }
}

/** What a validator found wrong, in one line. */
export function complaintsOf({ errors }: ValidateFunction): string {
  return (errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`).join('; ');
}

/** The same schemas, where an object has no members but those that are described: what is not described is not meant to leave. */
function closed<T>(schemas: T): T {
  return JSON.parse(JSON.stringify(schemas), (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && !('additionalProperties' in value)
      ? { ...value, additionalProperties: false }
      : value,
  );
}
