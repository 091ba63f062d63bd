import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The OpenAPI 3.1 document of the running application; the committed openapi.json is this, word for word. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Oncepay')
    .setDescription('Takes an order from a checkout, charges it through Stripe exactly once, and keeps its record equal to Stripe’s.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key: oncepay_sk_… or oncepay_pk_…' });
  return SwaggerModule.createDocument(app, builder.build());
}
