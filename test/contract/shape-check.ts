import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import type { DeclaredSchemas } from './declared-schemas.js';
import type { Answers, Events, Requests } from './stripe-shapes.js';

interface Groups {
  Answers: Answers;
  Events: Events;
  Requests: Requests;
}

// Seen from dist/test/contract.
const repository = resolve(import.meta.dirname, '../../..');
const shapesFile = join(repository, 'test/contract/stripe-shapes.ts');

// The definitions are many and each is used once or twice: checking and polishing them costs more than it saves.
const QUICKLY_COMPILED: Options = {
  allErrors: true,
  verbose: true,
  strict: false,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
};

let loaded: Promise<ShapeCheck> | undefined;

/** Holds JSON against the types of the installed `stripe` package. */
export class ShapeCheck {
  readonly #members: DeclaredSchemas['members'];
  readonly #json: Ajv;
  readonly #form: Ajv;

  constructor({ members, document }: DeclaredSchemas) {
    this.#members = members;
    this.#json = new Ajv(QUICKLY_COMPILED);
    // In a form everything is a string; it becomes what the type asks for, or stays wrong.
    this.#form = new Ajv({ ...QUICKLY_COMPILED, coerceTypes: true });
    for (const ajv of [this.#json, this.#form]) ajv.addSchema(document);
  }

  /**
   * Reads Stripe's types, which takes seconds, or what was kept of them when neither they nor we have changed. Once a process: what is
   * compiled for one test file serves the next.
   */
  static load(): Promise<ShapeCheck> {
    loaded ??= keptSchemas().then((schemas) => new ShapeCheck(schemas));
    return loaded;
  }

  /** What is wrong with `value`, as `path: reason`; empty when it is what Stripe declares. */
  problems<G extends keyof Groups>(group: G, name: keyof Groups[G] & string, value: unknown): string[] {
    return problemsOf(this.#validator(this.#json, group, name), value);
  }

  /** The same for a decoded form. Gives numbers and booleans in `form` their types. */
  formProblems(name: keyof Requests, form: object): string[] {
    return problemsOf(this.#validator(this.#form, 'Requests', name), form);
  }

  declares<G extends keyof Groups>(group: G, name: string): name is keyof Groups[G] & string {
    return this.#members[group]?.[name] !== undefined;
  }

  #validator(ajv: Ajv, group: string, name: string): ValidateFunction {
    const schema = this.#members[group]?.[name];
    if (schema === undefined) throw new Error(`stripe-shapes.ts declares no ${name} among its ${group}.`);
    return ajv.compile(schema);
  }
}

function problemsOf(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value)) return [];
  return [...new Set((validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(told))];
}

function told({ instancePath, keyword, message = '', params, data }: ErrorObject): string {
  const { additionalProperty, missingProperty } = params as { additionalProperty?: string; missingProperty?: string };
  // Which item of a list it was does not matter; that all of them have it should be said once.
  const path = instancePath
    .replaceAll(/\/\d+(?=\/|$)/g, '[]')
    .slice(1)
    .replaceAll('/', '.');
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (additionalProperty !== undefined) return `${at(additionalProperty)}: Stripe declares no such field`;
  if (missingProperty !== undefined) return `${at(missingProperty)}: is missing`;
  const found = JSON.stringify(data).slice(0, 80);
  return `${path}: ${keyword === 'enum' ? 'is no word that Stripe declares' : message}, found ${found}`;
}

async function keptSchemas(): Promise<DeclaredSchemas> {
  const inputs = [shapesFile, join(import.meta.dirname, 'declared-schemas.js'), packageFile('stripe'), packageFile('typescript')];
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(input));
  const folder = join(repository, 'node_modules/.cache/oncepay');
  const file = join(folder, `stripe-schemas-${hash.digest('hex').slice(0, 16)}.json`);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DeclaredSchemas;
  } catch {
    const { declaredSchemas } = await import('./declared-schemas.js');
    const schemas = declaredSchemas(shapesFile);
    mkdirSync(folder, { recursive: true });
    // Test files run side by side: none may read what another has half written.
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(schemas));
    renameSync(`${file}.${process.pid}`, file);
    return schemas;
  }
}

function packageFile(name: string): string {
  return join(repository, 'node_modules', name, 'package.json');
}
