import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

// npm run build and npm test, tried on a small repository with our own tools in it.

const ours = resolve(import.meta.dirname, '../../..');
const toolFiles = [
  'build.mjs',
  'test.mjs',
  'test-processes.mjs',
  'prisma-engine.mjs',
  'prisma-engine-adapter.mjs',
  'test-services.ts',
  'embedded-postgres.ts',
].concat(['postgres-binaries.ts', 'postgres-lock-file.ts', 'bound-process.ts', 'free-port.ts']);
const scratch = mkdtempSync(join(tmpdir(), 'oncepay-tools-spec-'));

before(() => {
  for (const file of toolFiles) cpSync(join(ours, 'tools', file), join(scratch, 'tools', file));
  for (const file of ['tsconfig.json', 'tsconfig.product.json', 'package.json', 'prisma.config.ts', 'clients/checkout-page/tsconfig.json'])
    cpSync(join(ours, file), join(scratch, file));
  write('clients/checkout-page/src/page.ts', 'export const page = document.title;\n');
  symlinkSync(join(ours, 'node_modules'), join(scratch, 'node_modules'));
  write(
    'prisma/schema.prisma',
    `generator client {
  provider = "prisma-client"
  output = "../libs/database/src/generated"
  importFileExtension = "js"
  moduleFormat = "esm"
}

datasource db {
  provider = "postgresql"
}

model Note {
  id Int @id
}
`,
  );
});

after(() => rmSync(scratch, { recursive: true, force: true }));

describe('npm run build', () => {
  it('generates the client once, takes the types of a new clone as they are, and checks all of them once something changes', () => {
    write('libs/one/src/one.ts', 'export const one = 1;\n');
    write('libs/one/src/wrong.ts', 'export const wrong: number = "a word";\n');
    const first = buildProduct();
    assert.equal(first.code, 0);
    assert.match(first.output, /Prisma client: .*\nbuild {2}TypeScript/);

    write('libs/one/src/one.ts', 'export const one = 2;\n');
    const { code, output } = buildProduct();
    assert.notEqual(code, 0);
    assert.match(output, /wrong\.ts.*TS2322/);
    assert.doesNotMatch(output, /Prisma client/);
    rmSync(join(scratch, 'libs/one/src/wrong.ts'));
  });

  it('leaves the tests for later when only the product is asked for, and does nothing when it is asked again', () => {
    write('libs/one/src/one.ts', 'export const one = 3;\n');
    write('libs/one/src/one.spec.ts', 'export {};\n');
    assert.match(buildProduct().output, /TypeScript/);
    assert.match(readFileSync(join(scratch, 'dist/libs/one/src/one.js'), 'utf8'), /one = 3/);
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.spec.js')), false);
    assert.equal(buildProduct().output, '');

    assert.equal(build().code, 0);
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.spec.js')), true);
    assert.equal(buildProduct().output, '');
  });

  it('compiles once, then does nothing until a source changes', () => {
    assert.match(build().output, /nothing changed/);

    write('libs/one/src/one.ts', 'export const one = 4;\n');
    const { output } = build();
    assert.match(output, /TypeScript/);
    assert.doesNotMatch(output, /Prisma client/);
  });

  it('removes the output of a source that is gone', () => {
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.spec.js')), true);
    rmSync(join(scratch, 'libs/one/src/one.spec.ts'));
    build();
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.spec.js')), false);
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.js')), true);
  });

  it('makes an output again that somebody removed', () => {
    rmSync(join(scratch, 'dist/libs/one/src/one.js'));
    build();
    assert.equal(existsSync(join(scratch, 'dist/libs/one/src/one.js')), true);
  });

  it('fails on a type error, every time until it is mended', () => {
    write('libs/one/src/wrong.ts', "export const wrong: number = 'text';\n");
    for (const { code, output } of [build(), build()]) {
      assert.equal(code, 1);
      assert.match(output, /libs\/one\/src\/wrong\.ts.*TS2322/s);
    }
    rmSync(join(scratch, 'libs/one/src/wrong.ts'));
    assert.equal(build().code, 0);
  });
});

/** Small test files, each tried by itself. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mixed: `it('passes', () => {});
     it('fails', () => { throw new Error('as it must'); });
     it('waits', { skip: 'no moon tonight' }, () => {});
     describe('outer', () => { it('passes too', () => {}); it('fails too', () => { throw new Error('again'); }); });`,
  passing: "it('passes', () => {});",
  shell: "it('sees none', () => { if (process.env.STRIPE_SECRET_KEY) throw new Error('live key'); });",
  hook: "describe('outer', () => { it('passes', () => {}); after(() => { throw new Error('late'); }); });",
  exit: "it('passes', () => {}); process.on('exit', () => { process.exitCode = 3; });",
  unloadable: "throw new Error('at once');",
  empty: '',
};

describe('npm test', () => {
  before(() => {
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const text = `import { after, describe, it } from 'node:test';\nvoid [after, describe, it];\n${program}\n`;
      write(`test/${name}.spec.ts`, text);
      write(`libs/one/src/${name}.spec.ts`, text);
    }
    // All at once, so that each run finds nothing left to build.
    assert.equal(build().code, 0);
  });

  it('counts passes, failures and skips, and names what was skipped', () => {
    const { code, output, lastLine } = runTests('test/mixed');
    assert.equal(lastLine, '2 passed, 2 failed, 1 skipped');
    assert.match(output, /- waits {2}\(no moon tonight\) {2}\S*test\/mixed\.spec/);
    assert.equal(code, 1);
  });

  it('succeeds when all tests pass', () => {
    const { code, lastLine } = runTests('test/passing');
    assert.equal(lastLine, '1 passed, 0 failed');
    assert.equal(code, 0);
  });

  for (const [what, name, count] of [
    ['a hook that throws', 'hook', '1 passed, 1 failed'],
    ['a file that ends with an error code', 'exit', '1 passed, 1 failed'],
    ['a file that cannot be loaded', 'unloadable', '0 passed, 1 failed'],
    ['a file without tests', 'empty', '0 passed, 1 failed'],
  ] as const) {
    for (const [where, folder] of [
      ['', 'test'],
      [' in a shared process', 'libs/one/src'],
    ] as const) {
      it(`counts ${what}${where} as a failure`, () => {
        const { code, lastLine } = runTests(`${folder}/${name}`);
        assert.equal(lastLine, count);
        assert.equal(code, 1);
      });
    }
  }

  it('runs no test that an earlier run has bundled', () => {
    write('dist/test-processes/bundled/test/passing.spec.js', "throw new Error('of an earlier run');\n");
    assert.equal(runTests('test/passing').lastLine, '1 passed, 0 failed');
  });

  it('fails when no file matches', () => {
    const { code, lastLine } = runTests('no-such-file');
    assert.equal(lastLine, '0 passed, 1 failed');
    assert.equal(code, 1);
  });

  it('hides the settings of the shell from the tests', () => {
    assert.equal(runTests('test/shell').lastLine, '1 passed, 0 failed');
  });

  it('builds what has changed before it runs anything', () => {
    write('test/passing.spec.ts', "import { it } from 'node:test';\nit('fails now', () => { throw new Error('changed'); });\n");
    assert.equal(runTests('test/passing').lastLine, '0 passed, 1 failed');
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text);
}

function build(): { code: number | null; output: string } {
  return node('tools/build.mjs');
}

/** As npm start does. */
function buildProduct(): { code: number | null; output: string } {
  return node('--input-type=module', '-e', "import { build } from './tools/build.mjs'; await build(console.log, 'product');");
}

/** Runs the test files whose path has this. */
function runTests(word: string): { code: number | null; output: string; lastLine: string | undefined } {
  const result = node('tools/test.mjs', word);
  return { ...result, lastLine: result.output.trimEnd().split('\n').at(-1) };
}

function node(...args: string[]): { code: number | null; output: string } {
  // A server that the small tests never speak to, so that none is started for them.
  const env = {
    ...process.env,
    DATABASE_URL: 'postgresql://127.0.0.1:1/',
    REDIS_URL: 'redis://127.0.0.1:1/',
    STRIPE_SECRET_KEY: 'sk_test_shell',
  };
  const { NODE_TEST_CONTEXT: _, ...outside } = { NODE_TEST_CONTEXT: '', ...env };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: scratch, encoding: 'utf8', env: outside });
  return { code: status, output: stderr + stdout };
}
