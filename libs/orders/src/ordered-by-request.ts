import { type NewOperation } from '#libs/payments';
import { correlation } from '#libs/telemetry';

/** The request under way, as an operation keeps it, so that its X-Request-Id leads to everything it caused; nothing outside of one. */
export function orderedByRequest(): Pick<NewOperation, 'requestId'> {
  const { requestId } = correlation();
  return requestId === undefined ? {} : { requestId };
}
