/** One request of an operation and the answer it gets. */
export interface Example {
  readonly summary?: string;
  /** Of the path, the query and the headers, by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Of an answer that is a text, some of its lines in their order. */
  readonly answer: object | string;
  /** Media type of the answer, which is asked for; JSON without one. */
  readonly type?: string;
}

/** Examples by operationId and name. test/contract/openapi-examples.spec.ts sends each of them and compares the answer. */
export type Examples = Readonly<Record<string, Readonly<Record<string, Example>>>>;
