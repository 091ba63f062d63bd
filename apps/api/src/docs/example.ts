/** One request of an operation and the answer it gets. */
export interface Example {
  readonly summary?: string;
  /** Of the path, the query and the headers, by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly answer: object;
}

/** Examples by operationId and name. test/contract/openapi-examples.spec.ts sends each of them and compares the answer. */
export type Examples = Readonly<Record<string, Readonly<Record<string, Example>>>>;
