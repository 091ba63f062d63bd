import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Example } from './example.js';
import { EXAMPLES } from './examples.js';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

/** The OpenAPI 3.1 document of the running application; the committed openapi.json is this, word for word. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Oncepay')
    .setDescription('Takes an order from a checkout, charges it through Stripe exactly once, and keeps its record equal to Stripe’s.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key: oncepay_sk_… or oncepay_pk_…' });
  const document = SwaggerModule.createDocument(app, builder.build());
  for (const { get, put, post } of Object.values(document.paths)) {
    for (const operation of [get, put, post]) if (operation !== undefined) addExamples(operation);
  }
  return document;
}

/** Each example goes by its name to the parameters, to the body and to the answer, so that one can be told from the next. */
function addExamples(operation: Operation): void {
  for (const [name, example] of Object.entries(EXAMPLES[operation.operationId ?? ''] ?? {})) addExample(operation, name, example);
}

function addExample({ parameters = [], requestBody, responses }: Operation, name: string, { summary, ...example }: Example): void {
  const as = (value: unknown): object => ({ ...(summary === undefined ? {} : { summary }), value });
  for (const parameter of parameters) {
    if ('$ref' in parameter) continue;
    const value = example.parameters?.[parameter.name];
    if (value !== undefined) parameter.examples = { ...parameter.examples, [name]: { value } };
  }
  if (example.body !== undefined && requestBody !== undefined && 'content' in requestBody)
    exemplify(requestBody.content, name, as(example.body));
  for (const [status, response] of Object.entries(responses)) {
    if (status.startsWith('2') && response !== undefined && 'content' in response && response.content !== undefined)
      exemplify(response.content, name, as(example.answer));
  }
}

function exemplify(content: Record<string, { examples?: Record<string, object> }>, name: string, example: object): void {
  const json = content['application/json'];
  if (json !== undefined) json.examples = { ...json.examples, [name]: example };
}
