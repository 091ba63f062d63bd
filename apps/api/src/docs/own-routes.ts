import { type OpenAPIObject } from '@nestjs/swagger';

/** The routes that no controller has, as they are made of the OpenAPI document itself. */
export const OWN_ROUTES = {
  '/openapi.json': {
    get: {
      operationId: 'readDescription',
      tags: ['service'],
      summary: 'Read this description',
      responses: {
        200: {
          description: 'OpenAPI 3.1',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['openapi', 'info', 'paths', 'components'],
                properties: {
                  openapi: { type: 'string' },
                  info: { type: 'object' },
                  paths: { type: 'object' },
                  components: { type: 'object' },
                  servers: { type: 'array', items: { type: 'object' } },
                  tags: { type: 'array', items: { type: 'object' } },
                },
              },
            },
          },
        },
      },
    },
  },
  '/docs': {
    get: {
      operationId: 'readReference',
      tags: ['service'],
      summary: 'Read the API reference',
      responses: { 200: { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } } },
    },
  },
} satisfies OpenAPIObject['paths'];
