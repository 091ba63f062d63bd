// The arrows of the house (ARCHITECTURE.md): who may import whom. `npm run check` runs it. Tests and tools may import everything.
const everywhere = ['primitives', 'config', 'telemetry'];
const arrows = {
  orders: ['payments', 'idempotency', 'jobs', 'database', ...everywhere],
  payments: ['idempotency', 'jobs', 'database', ...everywhere],
  webhooks: ['jobs', 'database', ...everywhere],
  idempotency: ['database', ...everywhere],
  jobs: ['database', ...everywhere],
  database: everywhere,
  primitives: everywhere,
  config: everywhere,
  telemetry: everywhere,
};

const tests = '\\.spec\\.ts$|^test/';
const oneOf = (names) => `(${names.join('|')})`;
const packages = (names) => `node_modules/${oneOf(names)}/`;

/** Only files matching `allowed` (and tests) may import what `to` matches. */
const onlyFrom = (name, allowed, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(apps|libs|clients)/', pathNot: `${allowed}|${tests}` },
  to,
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one thing, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'apps-stand-alone',
      comment: 'What two apps share belongs into a lib.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: tests },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-below-apps',
      comment: 'A lib knows nothing of the app that uses it.',
      severity: 'error',
      from: { path: '^libs/', pathNot: tests },
      to: { path: '^(apps|test|tools|clients)/' },
    },
    {
      name: 'simulator-alone',
      comment: 'It shares no code with the libs, so that one bug cannot cancel another.',
      severity: 'error',
      from: { path: '^apps/stripe-simulator/', pathNot: tests },
      to: { path: '^libs/' },
    },
    {
      name: 'client-alone',
      comment: 'It is copied into browsers.',
      severity: 'error',
      from: { path: '^clients/', pathNot: tests },
      to: { path: '^(apps|libs)/' },
    },
    {
      name: 'libs-through-their-index',
      comment: 'What index.ts does not export is private to the lib.',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/', pathNot: tests },
      to: { path: '^libs/', pathNot: '^libs/$2/|^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'known-libs',
      comment: 'A new lib gets its arrows in .dependency-cruiser.cjs first.',
      severity: 'error',
      from: {},
      to: { path: '^libs/', pathNot: `^libs/${oneOf(Object.keys(arrows))}/` },
    },
    ...Object.entries(arrows).map(([lib, targets]) => ({
      name: `arrows-of-${lib}`,
      comment: `libs/${lib} may import ${targets.filter((target) => target !== lib).join(', ')}.`,
      severity: 'error',
      from: { path: `^libs/${lib}/`, pathNot: tests },
      to: { path: '^libs/', pathNot: `^libs/${oneOf([lib, ...targets])}/` },
    })),
    onlyFrom(
      'stripe-in-one-folder',
      '^libs/payments/src/stripe/',
      { path: packages(['stripe']) },
      'Every call passes one policy: keys, timeouts, errors.',
    ),
    onlyFrom(
      'bullmq-in-jobs',
      '^libs/jobs/|^apps/worker/',
      { path: packages(['bullmq', 'ioredis']) },
      'The rest promises jobs through the outbox.',
    ),
    onlyFrom(
      'prisma-in-stores',
      '^libs/database/|\\.store\\.ts$',
      { path: `${packages(['@prisma/[^/]+', 'prisma'])}|^libs/database/src/generated/` },
      'SQL has one address per noun.',
    ),
    onlyFrom(
      'node-postgres-in-two-libs',
      '^libs/(database|jobs)/',
      { path: packages(['pg']) },
      "All persistence goes through Prisma; BullMQ's backend has a pool of its own.",
    ),
    onlyFrom(
      'http-in-apps',
      '^apps/',
      { path: packages(['@nestjs/platform-fastify', 'fastify', '@nestjs/swagger']) },
      'Libs are spoken to by functions.',
    ),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^libs/database/src/generated/'] },
    exclude: { path: '^dist' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'] },
  },
};
