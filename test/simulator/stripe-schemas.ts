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

/** JSON Schemas read from the package's own declarations: enums closed, nothing allowed beside the declared properties. */
export function stripeSchemas(): { $id: string; $defs: Record<string, JsonSchema> } {
  const { checker, file } = program();
  const walk = new Walk(checker, file);
  for (const statement of file.statements) {
    if (ts.isTypeAliasDeclaration(statement)) walk.root(statement.name.text, checker.getTypeAtLocation(statement));
  }
  return { $id: 'stripe', $defs: walk.definitions };
}

export function rootName(shape: ShapeName): string {
  return `Root_${shape.replaceAll('.', '_')}`;
}

function program(): { checker: ts.TypeChecker; file: ts.SourceFile } {
  const name = path.resolve('stripe-shapes.ts');
  const aliases = SHAPE_NAMES.map((shape) => `export type ${rootName(shape)} = ${SHAPES[shape]};`);
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
  const compiled = ts.createProgram([name], options, host);
  const file = compiled.getSourceFile(name);
  if (file === undefined) throw new Error('the declarations could not be read');
  return { checker: compiled.getTypeChecker(), file };
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
