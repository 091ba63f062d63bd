/** A JSON schema, as far as the reference reads it. */
export type Schema = object;

/** One member of a body: its path, its type, and what is said of it. */
export interface SchemaRow {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly text: string;
}

interface Known {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly items?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly unknown[];
  readonly anyOf?: readonly unknown[];
  readonly oneOf?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Deeper than this a reader is better served by an example. */
const DEPTH_MAX = 3;
/** Currencies and the like are told by an example too. */
const ENUM_SHOWN_MAX = 12;

/** Every member of a schema, those of nested objects by their paths. */
export function rowsOf(schema: unknown, schemas: Readonly<Record<string, Schema>>, prefix = '', depth = 0): readonly SchemaRow[] {
  const { properties = {}, required = [], items } = resolved(schema, schemas);
  if (items !== undefined) return rowsOf(items, schemas, `${prefix}[]`, depth);
  if (depth > DEPTH_MAX) return [];
  return Object.entries(properties).flatMap(([member, inner]) => {
    const name = prefix === '' ? member : `${prefix}.${member}`;
    const known = resolved(inner, schemas);
    const row = { name, type: typeOf(known, schemas), isRequired: required.includes(member), text: textOf(known) };
    return [row, ...rowsOf(inner, schemas, name, depth + 1)];
  });
}

/** The schema behind a reference; of alternatives, the one that is no null. */
function resolved(schema: unknown, schemas: Readonly<Record<string, Schema>>): Known {
  if (typeof schema !== 'object' || schema === null) return {};
  const known: Known = schema;
  if (known.$ref !== undefined) return resolved(schemas[known.$ref.split('/').at(-1) ?? ''], schemas);
  const [first] = [...(known.allOf ?? []), ...(known.anyOf ?? []), ...(known.oneOf ?? [])];
  return first === undefined
    ? known
    : { ...resolved(first, schemas), ...(known.description === undefined ? {} : { description: known.description }) };
}

function typeOf({ type, items }: Known, schemas: Readonly<Record<string, Schema>>): string {
  if (items !== undefined) return `list of ${typeOf(resolved(items, schemas), schemas)}`;
  return typeof type === 'string' ? type : (type ?? ['object']).join(' or ');
}

function textOf({ description, enum: values = [], default: usual, minimum, maximum, minItems, maxItems }: Known): string {
  const listed = values.length === 0 || values.length > ENUM_SHOWN_MAX ? '' : values.map((value) => `\`${String(value)}\``).join(' | ');
  return [
    description,
    listed,
    maximum === undefined ? '' : `${minimum ?? 0} to ${maximum}.`,
    maxItems === undefined ? '' : `${minItems ?? 0} to ${maxItems} of them.`,
    usual === undefined ? '' : `Default \`${JSON.stringify(usual)}\`.`,
  ]
    .filter((text) => text !== undefined && text !== '')
    .join(' ');
}
