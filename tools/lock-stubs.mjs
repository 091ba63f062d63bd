#!/usr/bin/env node
// Completes package-lock.json (`npm run lock`).
//
// Linters and native add-ons list one optional package per platform. When the registry in use cannot serve some of them,
// `npm install` leaves those out of the lock without a word and `npm ci` then refuses the lock. A stub with the version and
// the platform is enough: npm skips it elsewhere and fetches it by name on the platform it is for.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const platforms = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const architectures = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

/** Adds what is missing to the lock, removes download addresses, and returns the names of the stubs it added. */
export function completeLock(lock) {
  const added = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    delete entry.resolved;
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (nearest(lock, path, name)) continue;
      lock.packages[`node_modules/${name}`] = stub(name, range, entry);
      added.push(`${name}@${range}`);
    }
  }
  lock.packages = sorted(lock.packages);
  return added;
}

// Node's own lookup: beside the dependant first, then outwards.
function nearest(lock, path, name) {
  for (let folder = path; ;) {
    const candidate = folder ? `${folder}/node_modules/${name}` : `node_modules/${name}`;
    if (lock.packages[candidate]) return true;
    if (!folder) return false;
    const outer = folder.lastIndexOf('/node_modules/');
    folder = outer === -1 ? '' : folder.slice(0, outer);
  }
}

function stub(name, range, dependant) {
  const version = range.replace(/^[\^~=v]+/, '');
  const words = name.split(/[/-]/).flatMap((word) => word.split('.'));
  const os = words.filter((word) => platforms.includes(word));
  const cpu = words.filter((word) => architectures.includes(word));
  if (!/^\d+\.\d+\.\d+/.test(version) || os.length !== 1 || cpu.length !== 1) {
    throw new Error(`${name}@${range} is missing from the lock and its name does not tell its platform: add it by hand`);
  }
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : undefined;
  const { dev, devOptional } = dependant;
  return { version, cpu, ...(dev && { dev }), ...(devOptional && { devOptional }), ...(libc && { libc }), optional: true, os };
}

function sorted(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = resolve(import.meta.dirname, '../package-lock.json');
  const before = readFileSync(file, 'utf8');
  const lock = JSON.parse(before);
  const added = completeLock(lock);
  const after = `${JSON.stringify(lock, null, 2)}\n`;
  const list = added.map((name) => `\n  ${name}`).join('');
  if (after === before) {
    console.log('package-lock.json: complete');
  } else if (process.argv.includes('--check')) {
    console.log(`package-lock.json: run \`npm run lock\`${list}`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, after);
    console.log(`package-lock.json: ${added.length} platform packages added, download addresses removed${list}`);
  }
}
