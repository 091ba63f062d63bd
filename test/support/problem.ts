import assert from 'node:assert/strict';
import { type Answer } from './http-client.js';

/** The members of a problem, always all of them; `errors` comes with those of validation. */
const MEMBERS = ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'];

/** Asserts that an answer is the problem it should be, in the one shape problems have. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  const { errors, ...problem } = answer.json;
  assert.deepEqual({ status: answer.status, code: problem['code'] }, { status, code }, answer.text);
  assert.deepEqual(Object.keys(problem), MEMBERS);
  assert.match(answer.headers.get('Content-Type') ?? '', /^application\/problem\+json\b/);
  assert.equal(problem['status'], status);
  assert.equal(problem['requestId'], answer.headers.get('X-Request-Id'));
  // Relative where nobody knows which host was asked.
  assert.equal(new URL(String(problem['type']), 'http://any.example').pathname, `/problems/${code}`);
  for (const text of ['title', 'detail', 'instance']) assert.ok(typeof problem[text] === 'string' && problem[text] !== '', text);
  if (errors === undefined) return assert.notEqual(code, 'validation_failed', 'no field is named');
  assert.ok(Array.isArray(errors) && errors.length > 0);
  for (const error of errors) assert.deepEqual(Object.keys(Object(error)), ['field', 'message']);
}

/** The fields a validation problem complains of. */
export function fieldsOf({ json }: Answer): readonly unknown[] {
  const { errors } = json;
  return Array.isArray(errors)
    ? errors.map((error: unknown) => (typeof error === 'object' && error !== null && 'field' in error ? error.field : null))
    : [];
}
