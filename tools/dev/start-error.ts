/** The start cannot go on for a reason the reader can mend: shown as it is, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What an error says; that of a host with several addresses says it inside. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
