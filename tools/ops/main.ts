// npm run ops -- <command>: what operators see and do, over the HTTP routes under /v1/ops. npm run ops -- --help lists the commands.
import { runOps } from './run.js';

process.exitCode = await runOps(process.argv.slice(2), process.env, {
  out: (text) => console.log(text),
  error: (text) => console.error(text),
});
