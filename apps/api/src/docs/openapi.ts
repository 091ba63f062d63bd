import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Example } from './example.js';
import { EXAMPLES } from './examples.js';
import { OWN_ROUTES } from './own-routes.js';
import { addConventions, addProtocol, addPublicConventions } from './protocol.js';
import { addRefusals } from './refusals.js';
import { type RouteTable } from '../http/front-door.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

const JSON_TYPE = 'application/json';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/**
 * The OpenAPI 3.1 document of the running application; the committed openapi.json is this, word for word. Each operation names the
 * scope it needs, and whether a publishable key may have it.
 */
export function openApiDocument(app: INestApplication, routes: RouteTable): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Oncepay')
    .setDescription('Takes an order from a checkout, charges it through Stripe exactly once, and keeps its record equal to Stripe’s.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An API key (oncepay_sk_…, oncepay_rk_… or oncepay_pk_…) or an access token',
    });
  const document = SwaggerModule.createDocument(app, builder.build());
  Object.assign(document.paths, structuredClone(OWN_ROUTES));
  addProtocol(document);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const policy = routes.policyOf(method.toUpperCase(), path);
      addExamples(operation);
      if (policy?.scope === 'public') addPublicConventions(operation);
      else addConventions(operation, method);
      addRefusals(operation, path);
      if (policy !== undefined) Object.assign(operation, { 'x-oncepay-scope': policy.scope, 'x-oncepay-secret-only': policy.secretOnly });
    }
  }
  return withWholeNumbers(document);
}

/** Decorators know JavaScript's numbers; all of ours are whole, amounts above all, and other languages tell them apart. */
function withWholeNumbers(document: OpenAPIObject): OpenAPIObject {
  const whole = (type: unknown): unknown => (type === 'number' ? 'integer' : type);
  return JSON.parse(
    JSON.stringify(document, (name, value: unknown) =>
      name === 'type' ? (Array.isArray(value) ? value.map(whole) : whole(value)) : value,
    ),
  );
}

/** Each example goes by its name to the parameters, to the body and to the answer, so that one can be told from the next. */
function addExamples(operation: Operation): void {
  for (const [name, example] of Object.entries(EXAMPLES[operation.operationId ?? ''] ?? {})) addExample(operation, name, example);
}

function addExample(
  { parameters = [], requestBody, responses }: Operation,
  name: string,
  { summary, type = JSON_TYPE, ...example }: Example,
): void {
  const as = (value: unknown): object => ({ ...(summary === undefined ? {} : { summary }), value });
  for (const parameter of parameters) {
    if ('$ref' in parameter) continue;
    const value = example.parameters?.[parameter.name];
    if (value !== undefined) parameter.examples = { ...parameter.examples, [name]: { value } };
  }
  if (example.body !== undefined && requestBody !== undefined && 'content' in requestBody)
    exemplify(requestBody.content[JSON_TYPE], name, as(example.body));
  for (const [status, response] of Object.entries(responses)) {
    if (status.startsWith('2') && response !== undefined && 'content' in response && response.content !== undefined)
      exemplify(response.content[type], name, as(example.answer));
  }
}

function exemplify(content: { examples?: Record<string, object> } | undefined, name: string, example: object): void {
  if (content !== undefined) content.examples = { ...content.examples, [name]: example };
}
