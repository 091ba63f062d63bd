import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { ValidateBy, ValidateIf, type ValidationError, validateSync } from 'class-validator';
import { DomainError, type FieldError } from '#libs/primitives';
import { UnreadableBody } from './unreadable-body.js';

/**
 * Checks a parsed body or query against a request class: unknown members are refused, nothing is converted. A member that may be left
 * out may also be null, and is then undefined in what is returned. Throws DomainError validation_failed with every wrong field.
 */
export function parseRequest<T extends object>(shape: new () => T, value: unknown): T {
  if (value instanceof UnreadableBody) throw value.problem;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidBody('must be a JSON object');
  const request = plainToInstance(shape, value);
  const errors = validateSync(request, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) throw invalid(flatten(errors, ''));
  leaveOutNulls(request);
  return request;
}

/** `@IsOptional` alone lets null through; whoever reads the request counts on `undefined` and the defaults it brings. */
function leaveOutNulls(checked: object): void {
  for (const name of Object.keys(checked)) {
    const member: unknown = Reflect.get(checked, name);
    if (member === null) Reflect.set(checked, name, undefined);
    else if (typeof member === 'object') leaveOutNulls(member);
  }
}

/** Checks the body of a request that may come without one, as `parseRequest` does. null is a body, and no object. */
export function parseOptionalBody<T extends object>(shape: new () => T, body: unknown): T {
  return parseRequest(shape, body === undefined ? {} : body);
}

/** Checks that a request without parameters has none. Throws DomainError validation_failed. */
export function assertEmpty(body: unknown): void {
  if (body === undefined) return;
  if (body instanceof UnreadableBody) throw body.problem;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalidBody('must be a JSON object, or absent');
  const errors = Object.keys(body).map((field) => ({ field, message: 'is not a known field' }));
  if (errors.length > 0) throw invalid(errors);
}

/** The refusal of one or more fields. */
export function invalid(errors: readonly FieldError[]): DomainError {
  const [first] = errors;
  return new DomainError('validation_failed', first === undefined ? 'The request is not valid.' : `${first.field} ${first.message}`, {
    errors,
  });
}

/** The refusal of a body as a whole. */
export function invalidBody(message: string): DomainError {
  return new DomainError('validation_failed', `The body ${message}.`, { errors: [{ field: 'body', message }] });
}

/**
 * A member that may be left out but not be null, for amounts that are all of the money when they are left out: JSON writes NaN as
 * null, and a slip of the sender's arithmetic must not move everything.
 */
export function IsOptionalNotNull(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined);
}

/** A text a person may read: no control characters, no broken surrogates, which no database column takes. */
export function IsText(minimum: number, maximum: number): PropertyDecorator {
  return ValidateBy({
    name: 'isText',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && value.length >= minimum && value.length <= maximum && isPlainText(value),
      defaultMessage: () => `must be a text of ${minimum} to ${maximum} characters without control characters`,
    },
  });
}

/** Whether PostgreSQL can store the text and a log line can show it. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(text);
}

function flatten(errors: readonly ValidationError[], parent: string): FieldError[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const field = parent === '' ? property : `${parent}.${property}`;
    const own = Object.entries(constraints ?? {}).map(([rule, message]) => ({ field, message: wordingOf(rule, message, property) }));
    return [...own, ...flatten(children ?? [], field)];
  });
}

/** class-validator's messages begin with the property's name, which `field` says already. */
function wordingOf(rule: string, message: string, property: string): string {
  if (rule === 'whitelistValidation') return 'is not a known field';
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
