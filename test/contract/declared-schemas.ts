import ts = require('typescript');

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What the exported types of a TypeScript file declare: a schema for each of their members. */
export interface DeclaredSchemas {
  readonly members: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  /** What all of them point into. */
  readonly document: { readonly $id: string; readonly definitions: Readonly<Record<string, JsonSchema>> };
}

const DOCUMENT_ID = 'declared';

/**
 * Reads JSON Schemas out of TypeScript declarations, as strictly as they can be read: no property but the declared ones, and
 * of Stripe's open enums (`'a' | 'b' | OtherString`) only the words that are named. Throws when the file does not compile,
 * because a type that cannot be resolved would let everything pass.
 */
export function declaredSchemas(file: string): DeclaredSchemas {
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  });
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`There is no ${file}.`);
  const complaints = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  if (complaints.length > 0)
    throw new Error(complaints.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n'));
  const checker = program.getTypeChecker();
  const walk = new Walk(checker);
  const module = checker.getSymbolAtLocation(source);
  const exported = module === undefined ? [] : checker.getExportsOfModule(module);
  const members = exported.map((symbol) => [symbol.name, walk.members(checker.getDeclaredTypeOfSymbol(symbol))] as const);
  return { members: Object.fromEntries(members), document: { $id: DOCUMENT_ID, definitions: walk.definitions } };
}

type Word = string | number | boolean;

/** The branches of a union, sorted by what tells them apart in JSON. */
interface Branches {
  readonly types: Set<'null' | 'number' | 'string'>;
  readonly words: Set<Word>;
  readonly arrays: JsonSchema[];
  readonly objects: JsonSchema[];
}

class Walk {
  readonly definitions: Record<string, JsonSchema> = {};
  readonly #names = new Map<ts.Type, string>();
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** The schemas of a type's properties; a property that can never be there (`deleted?: void`) has none. */
  members(type: ts.Type): Record<string, JsonSchema> {
    const schemas: Record<string, JsonSchema> = {};
    for (const property of type.getProperties()) {
      const schema = this.#schema(this.#checker.getTypeOfSymbol(property));
      if (schema !== undefined) schemas[property.name] = schema;
    }
    return schemas;
  }

  #schema(type: ts.Type): JsonSchema | undefined {
    if (type.flags & ts.TypeFlags.Unknown) return {};
    const branches: Branches = { types: new Set(), words: new Set(), arrays: [], objects: [] };
    for (const branch of type.isUnion() ? type.types : [type]) this.#sort(branch, branches);
    return schemaOf(branches);
  }

  #sort(type: ts.Type, { types, words, arrays, objects }: Branches): void {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void | ts.TypeFlags.Never) || isOtherString(type)) return;
    if (type.isStringLiteral() || type.isNumberLiteral()) words.add(type.value);
    else if (flags & ts.TypeFlags.BooleanLiteral) words.add(this.#checker.typeToString(type) === 'true');
    else if (flags & ts.TypeFlags.Null) types.add('null');
    else if (flags & ts.TypeFlags.Number) types.add('number');
    // The client makes a `Decimal` of what crosses the wire as a string.
    else if (flags & ts.TypeFlags.String || type.aliasSymbol?.name === 'Decimal') types.add('string');
    else if (this.#checker.isArrayType(type)) arrays.push(this.#array(type));
    else if (isPlainObject(type)) objects.push({ $ref: `${DOCUMENT_ID}#/definitions/${this.#define(type)}` });
    else throw new Error(`JSON has nothing like ${this.#checker.typeToString(type)}.`);
  }

  #array(type: ts.Type): JsonSchema {
    const element = this.#checker.getIndexTypeOfType(type, ts.IndexKind.Number);
    return { type: 'array', items: (element && this.#schema(element)) ?? false };
  }

  /** Defines an object once, however often and however circularly it is named. */
  #define(type: ts.Type): string {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const name = `${(type.aliasSymbol ?? type.symbol).name}_${this.#names.size}`;
    this.#names.set(type, name);
    const properties = this.members(type);
    const demanded = type.getProperties().filter((property) => property.name in properties && !(property.flags & ts.SymbolFlags.Optional));
    const others = type.getStringIndexType();
    this.definitions[name] = {
      type: 'object',
      properties,
      required: demanded.map((property) => property.name),
      additionalProperties: (others && this.#schema(others)) ?? false,
    };
    return name;
  }
}

/** Stripe's `string & Record<never, never>`: any word it may add later. */
function isOtherString(type: ts.Type): boolean {
  return type.isIntersection() && type.types.some(({ flags }) => flags & ts.TypeFlags.String);
}

function isPlainObject(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 && type.getCallSignatures().length === 0 && !type.isClass();
}

/** Tells the kinds apart first, so that a violation is reported against the one branch that was meant. */
function schemaOf({ types, words, arrays, objects }: Branches): JsonSchema | undefined {
  const kinds = [
    { type: 'array', schema: anyOf(arrays) },
    { type: 'object', schema: anyOf(objects) },
  ];
  return kinds.reduce(
    (others, { type, schema }) => {
      if (schema === undefined || others === undefined) return schema ?? others;
      // oxlint-disable-next-line unicorn/no-thenable -- it is JSON Schema's word
      return { if: { type }, then: schema, else: others };
    },
    scalarSchema(types, words),
  );
}

function scalarSchema(types: ReadonlySet<string>, words: ReadonlySet<Word>): JsonSchema | undefined {
  // Only where `boolean` stands as a type can the "true" of a form become one.
  const isBoolean = words.has(true) && words.has(false);
  const named = [...words].filter((word) => !isBoolean || typeof word !== 'boolean');
  const typed = isBoolean ? [...types, 'boolean'] : [...types];
  if (named.length === 0) return typed.length === 0 ? undefined : { type: typed };
  if (typed.length === 0) return { enum: named };
  return typed.every((type) => type === 'null') ? { enum: [...named, null] } : { anyOf: [{ enum: named }, { type: typed }] };
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema | undefined {
  return schemas.length > 1 ? { anyOf: schemas } : schemas[0];
}
