import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ERRORS } from '../../contract/errors.js';
import { readVersion } from '../health/version.js';

const DESCRIPTION = `
REST beside the sockets: the same use cases, by the same services.

Sign in with \`POST /api/v1/auth/login\` and send the access token as \`Authorization: Bearer\`.
Every refusal is RFC 9457 \`application/problem+json\` with \`code\`, \`retryable\`, \`retryAfterMs\` and \`requestId\`.
`;

/** Swagger UI at `/docs`, the document at `/docs/openapi.json`. Schemas come from the DTOs through the CLI plugin, so only from a build. */
export function setUpDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => withProblems(createDocument(app)), {
    jsonDocumentUrl: 'docs/openapi.json',
    customSiteTitle: 'Parley API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true },
  });
}

function createDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Parley')
    .setDescription(DESCRIPTION)
    .setVersion(readVersion())
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** Every operation can be refused; the shape is the same for all codes. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  const problem = { $ref: '#/components/schemas/Problem' };
  document.components ??= {};
  document.components.schemas ??= {};
  document.components.schemas['Problem'] = {
    type: 'object',
    description: 'RFC 9457. The codes are listed at /docs/errors.',
    required: ['type', 'title', 'status', 'detail', 'code', 'retryable', 'requestId'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', enum: Object.keys(ERRORS) },
      retryable: { type: 'boolean' },
      retryAfterMs: { type: 'integer' },
      requestId: { type: 'string' },
      details: {
        type: 'array',
        items: {
          type: 'object',
          required: ['path', 'problem'],
          properties: { path: { type: 'string' }, problem: { type: 'string' } },
        },
      },
    },
  };
  for (const path of Object.values(document.paths))
    for (const operation of [path.get, path.post, path.put, path.patch, path.delete])
      if (operation)
        operation.responses['default'] ??= {
          description: 'Refused',
          content: { 'application/problem+json': { schema: problem } },
        };
  return document;
}
