// Prisma's PostgreSQL adapter, corrected for the schema engine (see prisma-engine.mjs). Each correction says what breaks without it.
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

const charOid = 18;

export class MigrationAdapterFactory extends PrismaPg {
  #openPools = new Set();
  #shadowDatabases = new Set();
  #config;

  constructor(url = 'postgresql://127.0.0.1:1/none') {
    // The parts of the URL, not the URL: beside a connection string, node-postgres ignores the `database` of a shadow database.
    const { host, port, user, password, database, ssl } = new pg.Client({ connectionString: url });
    const config = { host, port, user, password, database, ssl };
    super(config, { schema: new URL(url).searchParams.get('schema') ?? undefined });
    this.#config = config;
  }

  async connect() {
    return await this.#open(this.#config.database);
  }

  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${randomUUID()}`;
    const main = await this.connect();
    await main.executeScript(`CREATE DATABASE "${database}"`);
    this.#shadowDatabases.add(database);
    return await this.#open(database);
  }

  /** Ends every session and drops every shadow database, whether or not the engine asked for it. */
  async close() {
    await this.#endPools();
    if (this.#shadowDatabases.size === 0) return;
    const main = await this.connect();
    for (const database of this.#shadowDatabases) await main.executeScript(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    await this.#endPools();
  }

  async #open(database) {
    const pool = new pg.Pool({ ...this.#config, database });
    pool.on('error', () => {}); // a session that ends while idle shows at its next use
    this.#openPools.add(pool);
    const adapter = await new PrismaPg(pool, this.options).connect();
    readCharColumns(adapter);
    runScriptsWhole(adapter, pool);
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (...args) => readCharColumns(await startTransaction(...args));
    adapter.dispose = () => this.#end(pool);
    return adapter;
  }

  async #end(pool) {
    if (this.#openPools.delete(pool)) await pool.end();
  }

  async #endPools() {
    await Promise.all([...this.#openPools].map((pool) => this.#end(pool)));
  }
}

// The catalog queries return "char" columns. The adapter refuses that type, and the engine panics when it comes as text.
function readCharColumns(queryable) {
  const { queryRaw } = queryable;
  queryable.queryRaw = async (query) => {
    const { fields, rows } = await queryable.performIO(query);
    const asText = fields.map((field) => ({ ...field, dataTypeID: field.dataTypeID === charOid ? 25 : field.dataTypeID }));
    const result = await queryRaw.call({ performIO: async () => ({ fields: asText, rows }) }, query);
    fields.forEach((field, index) => {
      if (field.dataTypeID === charOid) result.columnTypes[index] = ColumnTypeEnum.Character;
    });
    return result;
  };
  return queryable;
}

// The adapter splits scripts at every semicolon: that breaks function bodies and lets half a migration stand.
function runScriptsWhole(adapter, pool) {
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error));
  };
}
