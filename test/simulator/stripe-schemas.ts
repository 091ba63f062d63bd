import path from 'node:path';
import ts from 'typescript';

export type JsonSchema = Record<string, unknown>;

/** The response objects whose shapes the installed `stripe` package declares, by the word in their `object` field. */
const SHAPES = {
  account: 'Stripe.Account',
  balance: 'Stripe.Balance',
  balance_transaction: 'Stripe.BalanceTransaction',
  charge: 'Stripe.Charge',
  'checkout.session': 'Stripe.Checkout.Session',
  customer: 'Stripe.Customer',
  dispute: 'Stripe.Dispute',
  event: 'Stripe.EventBase',
  item: 'Stripe.LineItem',
  payment_intent: 'Stripe.PaymentIntent',
  payment_method: 'Stripe.PaymentMethod',
  refund: 'Stripe.Refund',
  setup_intent: 'Stripe.SetupIntent',
  webhook_endpoint: 'Stripe.WebhookEndpoint',
} as const;

export type ShapeName = keyof typeof SHAPES;

export const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];

/** What the installed `stripe` package declares, read by the compiler. Reading takes seconds: one of these serves a whole file. */
export class StripeDeclarations {
  readonly #checker: ts.TypeChecker;
  readonly #file: ts.SourceFile;
  readonly #types = new Map<string, ts.Type>();

  /** `parameters` are further declarations to read, e.g. `Stripe.RefundCreateParams`. */
  constructor(parameters: readonly string[] = []) {
    const names = [...Object.values(SHAPES), ...parameters];
    const { checker, file } = compiled(names.map((name, index) => `export type Read${index} = ${name};`));
    this.#checker = checker;
    this.#file = file;
    for (const [index, alias] of file.statements.filter(ts.isTypeAliasDeclaration).entries()) {
      this.#types.set(names[index] ?? '', checker.getTypeAtLocation(alias));
    }
  }

  /** JSON Schemas of the response objects: enums closed, nothing allowed beside the declared properties. */
  schemas(): { $id: string; $defs: Record<string, JsonSchema> } {
    const walk = new Walk(this.#checker, this.#file);
    for (const shape of SHAPE_NAMES) walk.root(rootName(shape), this.#type(SHAPES[shape]));
    return { $id: 'stripe', $defs: walk.definitions };
  }

  /** The names a call's parameters are declared with. */
  parameterNames(declaration: string): string[] {
    return this.#type(declaration)
      .getProperties()
      .map(({ name }) => name);
  }

  #type(declaration: string): ts.Type {
    const type = this.#types.get(declaration);
    if (type === undefined) throw new Error(`${declaration} was not read`);
    return type;
  }
}

export function rootName(shape: ShapeName): string {
  return `Root_${shape.replaceAll('.', '_')}`;
}

function compiled(aliases: readonly string[]): { checker: ts.TypeChecker; file: ts.SourceFile } {
  const name = path.resolve('stripe-shapes.ts');
  const text = `import type { Stripe } from 'stripe';\n${aliases.join('\n')}\n`;
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, target, ...rest) =>
    file === name ? ts.createSourceFile(name, text, target, true) : read(file, target, ...rest);
  host.fileExists = (file) => file === name || ts.sys.fileExists(file);
  const program = ts.createProgram([name], options, host);
  const file = program.getSourceFile(name);
  if (file === undefined) throw new Error('the declarations could not be read');
  return { checker: program.getTypeChecker(), file };
}

class Walk {
  readonly definitions: Record<string, JsonSchema> = {};
  readonly #names = new Map<ts.Type, string>();

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly at: ts.Node,
  ) {}

  root(name: string, type: ts.Type): void {
    this.definitions[name] = this.#schema(type);
  }

  #schema(type: ts.Type): JsonSchema {
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: this.checker.typeToString(type) === 'true' };
    if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.flags & ts.TypeFlags.String) return { type: 'string' };
    if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
    if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    // `void` and `undefined` stand for "never there".
    if (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Never)) return { not: {} };
    if (type.isUnion()) return this.#union(type);
    // The client turns these numbers into objects; on the wire they are texts.
    if (type.aliasSymbol?.name === 'Decimal') return { type: 'string' };
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (this.checker.isArrayType(type)) {
      const [item] = this.checker.getTypeArguments(type as ts.TypeReference);
      return { type: 'array', items: item === undefined ? {} : this.#schema(item) };
    }
    return { $ref: `stripe#/$defs/${this.#object(type)}` };
  }

  #union(type: ts.UnionType): JsonSchema {
    // The open branch of an enum (`string & {}`) is what lets any word pass: it is left out.
    const branches = type.types.filter((branch) => !isOpenWord(branch));
    return { anyOf: branches.map((branch) => this.#schema(branch)) };
  }

  #object(type: ts.Type): string {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const name = `T${this.#names.size}`;
    this.#names.set(type, name);
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const property of type.getProperties()) {
      properties[property.name] = this.#schema(this.checker.getTypeOfSymbolAtLocation(property, this.at));
      if ((property.flags & ts.SymbolFlags.Optional) === 0) required.push(property.name);
    }
    const index = type.getStringIndexType();
    this.definitions[name] = {
      title: this.checker.typeToString(type),
      type: 'object',
      properties,
      required,
      additionalProperties: index === undefined ? false : this.#schema(index),
    };
    return name;
  }
}

function isOpenWord(type: ts.Type): boolean {
  return type.isIntersection() && type.types.some((part) => (part.flags & ts.TypeFlags.String) !== 0);
}
