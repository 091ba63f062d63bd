#!/usr/bin/env node
// The schema engine of the Prisma CLI, from npm alone. The CLI wants a native program that it downloads from Prisma's own
// server; this one speaks the same protocol (one JSON-RPC message per line) and runs Prisma's own WebAssembly build of that
// engine over node-postgres. prisma.config.ts points the CLI here. Development and checks only: migrations are applied in
// production by libs/database. @prisma/schema-engine-wasm is internal to Prisma: its version is pinned to the CLI's.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as wasm from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { MigrationAdapterFactory } from './prisma-engine-adapter.mjs';

const { values: args, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: { datasource: { type: 'string' }, datamodels: { type: 'string', multiple: true } },
});
const datasourceUrl = args.datasource && JSON.parse(args.datasource).url;

// The CLI takes an engine that dies with another code for one that succeeded.
process.on('uncaughtException', (error) => die(error));

if (positionals[0] === 'cli') await runProbe(positionals[1]);
else await answerCalls();

/** `cli can-connect-to-database` and `cli create-database`: separate runs whose result is the exit code and a log line. */
async function runProbe(name) {
  try {
    if (name === 'create-database') await createDatabase(datasourceUrl);
    else await withClient(datasourceUrl, async () => {});
  } catch (error) {
    const { code, message } = connectionError(error, datasourceUrl);
    logLine('INFO', { message: `Running ${name}` });
    logLine('ERROR', { is_panic: false, error_code: code, message });
    process.exitCode = 1;
  }
}

async function answerCalls() {
  loadEngine();
  for await (const line of createInterface({ input: process.stdin })) {
    const call = JSON.parse(line);
    if (call.method === undefined) continue; // the CLI's receipt for a `print`
    const params = Array.isArray(call.params) ? call.params[0] : (call.params ?? {});
    try {
      send({ id: call.id, result: await answer(call.method, params) });
    } catch (error) {
      send({ id: call.id, error: rpcError(error) });
    }
  }
}

/** Every answer closes what it opened first: the CLI kills the engine as soon as it has one, and an open session holds the migration lock. */
async function answer(method, params) {
  if (method === 'createDatabase') return { databaseName: await createDatabase(params.datasource?.url ?? datasourceUrl) };
  const adapters = new MigrationAdapterFactory(params.to?.url ?? params.from?.url ?? params.url ?? datasourceUrl);
  let engine;
  try {
    engine = await wasm.SchemaEngine.new({ datamodels: datamodels() }, () => {}, bindMigrationAwareSqlAdapterFactory(adapters));
    return await dispatch(engine, method, params);
  } finally {
    engine?.free();
    await adapters.close();
  }
}

async function dispatch(engine, method, params) {
  switch (method) {
    case 'getDatabaseVersion':
      return await engine.version();
    case 'diff': {
      const { stdout, exitCode } = await engine.diff(params);
      if (stdout) send({ id: 0, method: 'print', params: { content: stdout.replace(/\n$/, '') } });
      return { exitCode, stdout: null };
    }
    case 'createMigration':
      return await createMigration(engine, params);
    case 'evaluateDataLoss':
      return { migrationSteps: (await diffFromMigrations(engine, params)).exitCode === 2 ? 1 : 0, unexecutableSteps: [], warnings: [] };
    case 'dbExecute':
    case 'reset':
      return (await engine[method](params)) ?? null;
    default:
      if (typeof engine[method] !== 'function') throw new Error(`The schema engine has no method ${method}`);
      return (await engine[method](params)) ?? {};
  }
}

// This build's own createMigration and evaluateDataLoss know no shadow database; a diff from the migrations to the schema does.
// What is lost are the warnings about dropped columns: read the script before it is applied.
async function createMigration(engine, params) {
  const { stdout, exitCode } = await diffFromMigrations(engine, params);
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  return {
    connectorType: 'postgresql',
    generatedMigrationName: params.migrationName ? `${timestamp}_${params.migrationName.replace(/\W+/g, '_')}` : timestamp,
    migrationScript: exitCode === 2 || params.draft ? stdout : null,
    extension: 'sql',
  };
}

async function diffFromMigrations(engine, { migrationsList, schema, filters }) {
  const lockfile = { ...migrationsList.lockfile, content: migrationsList.lockfile.content ?? 'provider = "postgresql"\n' };
  const from = { tag: 'migrations', ...migrationsList, lockfile };
  return await engine.diff({ from, to: { tag: 'schemaDatamodel', ...schema }, script: true, exitCode: true, filters });
}

function datamodels() {
  if (!args.datamodels?.length) return [['schema.prisma', 'datasource db {\n  provider = "postgresql"\n}\n']];
  return args.datamodels.map((file) => [file, readFileSync(file, 'utf8')]);
}

// The package's own entry imports the .wasm file as a module, which Node offers behind a flag only.
function loadEngine() {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const module = new WebAssembly.Module(readFileSync(join(dirname(entry), 'schema_engine_bg.wasm')));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': wasm });
  wasm.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => die(new Error(message)) };
}

async function createDatabase(url) {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  const server = new URL(url);
  server.pathname = '/postgres';
  await withClient(server.href, (client) => client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`));
  return name;
}

async function withClient(url, use) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function connectionError(error, url) {
  const { host, pathname } = new URL(url);
  switch (error.code) {
    case '3D000':
      return { code: 'P1003', message: `Database \`${pathname.slice(1)}\` does not exist` };
    case '28P01':
      return { code: 'P1000', message: `Authentication failed against the database server at \`${host}\`` };
    case '28000':
      return { code: 'P1010', message: `Access denied on database \`${pathname.slice(1)}\`: ${error.message}` };
    case '42P04':
      return { code: 'P1009', message: `Database \`${pathname.slice(1)}\` already exists` };
    default:
      return { code: 'P1001', message: `Can't reach database server at \`${host}\`: ${error.message || error.code}` };
  }
}

function rpcError(error) {
  const message = error?.message ?? String(error);
  return { code: 4466, message, data: { is_panic: false, message, error_code: error?.code, meta: error?.meta ?? null } };
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function logLine(level, fields) {
  process.stderr.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, fields, target: 'schema_engine::logger' })}\n`);
}

function die(error) {
  logLine('ERROR', { message: error.stack ?? error.message, is_panic: true });
  process.exit(101);
}
