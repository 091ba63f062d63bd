import { join } from 'node:path';
import { defineConfig } from 'prisma/config';

// The CLI would download a native program; ours is in the repository (tools/prisma-engine.mjs says how).
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= join(import.meta.dirname, 'tools/prisma-engine.mjs');

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? '' },
});
