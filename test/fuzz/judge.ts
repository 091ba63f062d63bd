import { PROBLEMS } from '../../apps/api/src/http/problem-catalogue.js';
import { type Answer } from '../support/http-client.js';
import { complaintsOf } from './document.js';
import { type Drawn } from './requests.js';

/** What only an error of ours looks like. Requests hold SQL and script of their own, so those words say nothing. */
const INSIDES = /node_modules|\.[jt]s:\d+|Prisma|invocation|ECONNREFUSED|invalid byte sequence|syntax error at/;

/** What is wrong with an answer, whatever was asked; an empty list if nothing is. */
export function complaintsAbout({ operation }: Drawn, answer: Answer): readonly string[] {
  const { status, headers, text } = answer;
  const complaints: string[] = [];
  const demand = (isRight: boolean, complaint: string): void => {
    if (!isRight) complaints.push(complaint);
  };
  demand(status < 500, `a ${status}`);
  const declared = String(status < 400 ? status : 'default');
  demand(operation.answers.has(declared), `the document does not know that ${operation.id} answers ${status}`);
  demand(/^req_[\w-]{16}$/.test(headers.get('X-Request-Id') ?? ''), 'no X-Request-Id');
  demand(headers.get('X-Content-Type-Options') === 'nosniff', 'no security headers');
  demand(!INSIDES.test(text), 'it tells how we are made');
  if (status === 304) return complaints;
  const validate = operation.answers.get(declared);
  if (validate != null && !validate(answer.json)) complaints.push(`not what the document says: ${complaintsOf(validate)}`);
  if (status >= 400) complaints.push(...problemComplaints(answer));
  else demand(operation.types.includes(headers.get('Content-Type')?.split(';')[0] ?? ''), 'a success of another media type');
  return complaints;
}

function problemComplaints({ status, headers, json }: Answer): readonly string[] {
  const code = String(json['code']);
  const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1];
  const isReplay = headers.get('Idempotency-Replayed') === 'true';
  return [
    ...(/^application\/problem\+json\b/.test(headers.get('Content-Type') ?? '') ? [] : ['a refusal that is no problem']),
    ...(known?.status === status && json['status'] === status ? [] : [`the code ${code} with the status ${status}`]),
    ...(String(json['type']).endsWith(`/problems/${code}`) ? [] : [`the type ${String(json['type'])}`]),
    ...(isReplay || json['requestId'] === headers.get('X-Request-Id') ? [] : ['another requestId in the body']),
    ...(status !== 401 || headers.has('WWW-Authenticate') ? [] : ['a 401 that does not say how to authenticate']),
    ...((status === 429 || status === 503) && !headers.has('Retry-After') ? [`a ${status} that does not say when to come again`] : []),
  ];
}
