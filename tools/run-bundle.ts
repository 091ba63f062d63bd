// Runs what `bundleApp` wrote: `node run-bundle.js <file>`. V8 compiles a function when it is first called, for each process anew;
// of an app that is started again and again that is a third of each start. So the first process that lives long enough to have
// called most of them leaves their code beside the bundle, and later ones take it from there.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/** By then a process has usually carried out its first commands. */
const KEEP_AFTER_MS = 2_000;

// Where there is no `navigator`, as in Node 20, pg makes a `Response` to learn where it runs, for which Node loads all of `fetch`: a tenth of
// a start. Later Nodes have one.
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { userAgent: `Node.js/${process.versions.node}` } });

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node run-bundle.js <file>');
const codeFile = `${file}.code`;
const cachedData = existsSync(codeFile) ? readFileSync(codeFile) : undefined;
const script = new Script(`(function (require, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`, {
  filename: file,
  ...(cachedData === undefined ? {} : { cachedData }),
});
if (cachedData === undefined || script.cachedDataRejected === true) setTimeout(keepCode, KEEP_AFTER_MS).unref();
const app: (require: NodeJS.Require, filename: string, dirname: string) => void = script.runInThisContext();
app(createRequire(file), file, dirname(file));

function keepCode(): void {
  // Several processes may do so at once: each writes a draft of its own, and the last one's takes the name.
  const draft = `${codeFile}-${process.pid}`;
  writeFileSync(draft, script.createCachedData());
  renameSync(draft, codeFile);
}
