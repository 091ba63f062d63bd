import { strictEqual } from 'node:assert';
import { Ajv } from 'ajv';
import { rootName, SHAPE_NAMES, type ShapeName, type StripeDeclarations } from './stripe-schemas.js';

/** Checks objects against the shapes the pinned client declares for them. */
export class Shapes {
  readonly #ajv = new Ajv({ allErrors: true, strict: false, allowUnionTypes: true });

  constructor(declarations: StripeDeclarations) {
    this.#ajv.addSchema(declarations.schemas());
  }

  /** Fails with everything that is wrong with the object, or with any object inside a list or an event. */
  check(value: object): void {
    const kind: unknown = Reflect.get(value, 'object');
    if (kind === 'list' || kind === 'search_result') {
      const data: unknown = Reflect.get(value, 'data');
      if (Array.isArray(data)) for (const item of data as object[]) this.check(item);
      return;
    }
    const shape = SHAPE_NAMES.find((name) => name === kind);
    if (shape === undefined) throw new Error(`no declared shape for object ${String(kind)}`);
    if (shape === 'event') this.#checkEventSubject(value);
    strictEqual(this.#problems(shape, value), '', `${shape} is not what the client declares`);
  }

  #checkEventSubject(event: object): void {
    const { data } = event as { data: { object: object } };
    this.check(data.object);
  }

  #problems(shape: ShapeName, value: object): string {
    const validate = this.#ajv.getSchema(`stripe#/$defs/${rootName(shape)}`);
    if (validate === undefined) throw new Error(`no schema for ${shape}`);
    // An event's `data` is declared without members; its object has a shape of its own.
    const subject = shape === 'event' ? { ...value, data: { object: {} } } : value;
    if (validate(subject) === true) return '';
    return (validate.errors ?? [])
      .slice(0, 12)
      .map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`)
      .join('\n');
  }
}
