import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import ts = require('typescript');

// The house rules that no linter knows. Each failure lists what to change.

const repository = resolve(import.meta.dirname, '../..');
const files = filesBelow(repository);
const code = files.filter((file) => ['.ts', '.mjs', '.cjs'].includes(extname(file)));
const sources = code.filter((file) => file.endsWith('.ts')).map(parse);

// Past these a file is two files. Tests may list cases.
const linesMax = 400;
const testLinesMax = 500;
const functionLinesMax = 60;
const emptyNames = ['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc', 'base', 'impl'];

describe('the repository', () => {
  it('has no file that is too long', () => {
    const tooLong = code
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (isTest(file) ? testLinesMax : linesMax));
    none(
      tooLong.map(({ file, lines }) => `${file}: ${lines} lines`),
      `split it (at most ${linesMax}, tests ${testLinesMax})`,
    );
  });

  it('has no function that is too long', () => {
    none(
      sources
        .filter(({ file }) => !isTest(file))
        .flatMap((source) => source.nodes.filter(isNamedFunction).map((node) => ({ source, node, lines: linesOf(source, node) })))
        .filter(({ lines }) => lines > functionLinesMax)
        .map(({ source, node, lines }) => `${where(source, node)}  (${lines} lines)`),
      `take a part out and name it (at most ${functionLinesMax} lines)`,
    );
  });

  it('names files and exports after what they are', () => {
    const badFiles = code.filter((file) => saysNothing(file.split(/[/.-]/)));
    const badExports = sources.flatMap((source) =>
      source.nodes
        .filter((node) => isNamed(node) && isExported(node) && saysNothing(camelWords(node.name?.getText(source.tree) ?? '')))
        .map((node) => where(source, node)),
    );
    none([...badFiles, ...badExports], `these words say nothing: ${emptyNames.join(', ')}`);
  });

  it('has no forgotten marker and no test that silences the others', () => {
    none(matches(code, /(?:\/\/|\*).*\b(?:FIX[M]E|XX[X])\b/), 'do it, or write TODO(#issue)');
    none(matches(code.filter(isTest), /\b(?:it|test|describe|suite)\.on[l]y\(|\bon[l]y: true/), 'run all tests');
  });

  it('has no `any` and no assertion through `unknown`', () => {
    const found = sources.flatMap((source) =>
      source.nodes.filter((node) => node.kind === ts.SyntaxKind.AnyKeyword || isDoubleAssertion(node)).map((node) => where(source, node)),
    );
    none(found, 'say what it is, or parse it');
  });

  it('explains every exported function of a lib', () => {
    const silent = sources
      .filter(({ file }) => /^libs\/[^/]+\/src\//.test(file) && !isTest(file))
      .flatMap((source) =>
        source.tree.statements
          .filter((node) => isExported(node) && isFunction(node) && !isExplained(node))
          .map((node) => where(source, node)),
      );
    none(silent, 'write what it promises: units, errors, source, safe to repeat');
  });

  it('pins every package it depends on, and names those that may run a script while they are installed', () => {
    const { dependencies, devDependencies, optionalDependencies, allowScripts } = JSON.parse(read('package.json')) as Package;
    none(
      Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter(([, version]) => !/^(npm:[\w/@-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${name}: ${version}`),
      'name one version',
    );
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
    const locked = Object.entries(packages).filter(([path]) => path !== '');
    none(
      locked.filter(([, { integrity, optional }]) => integrity === undefined && optional !== true).map(([path]) => path),
      'run npm run lock: it has no checksum',
    );
    none(
      locked.filter(([path, { hasInstallScript }]) => hasInstallScript === true && !(nameIn(path) in allowScripts)).map(([path]) => path),
      'allow or forbid its script in package.json',
    );
  });

  it('copies into the image every folder that apps and libs read from', () => {
    const copied = [...read('deploy/Dockerfile').matchAll(/^COPY --from=build \/oncepay\/\S+ \.\/(\S+)$/gm)].map(([, path = '']) => path);
    const readFrom = code
      .filter((file) => /^(apps|libs)\//.test(file) && !isTest(file))
      .flatMap((file) =>
        [...read(file).matchAll(/\((?:ROOT|import\.meta\.dirname), '(?:\.\.\/)*([a-z][^']*)'/g)].map(([, path = '']) => path),
      );
    assert.ok(readFrom.includes('prisma/migrations') && copied.includes('prisma/migrations'));
    none(
      readFrom.filter((path) => !copied.some((folder) => path === folder || path.startsWith(`${folder}/`))),
      'COPY it in deploy/Dockerfile',
    );
  });

  it('names no path, link, test or npm script in its documents that does not exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const documents = files.filter((file) => file.endsWith('.md'));
    none(
      [...documents.flatMap(deadPaths), ...documents.flatMap(deadTitles), ...documents.flatMap((file) => deadScripts(file, scripts))],
      'mend the document, or make what it names',
    );
  });
});

type Package = Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>> & { allowScripts: object };
type Locked = { integrity?: string; optional?: boolean; hasInstallScript?: boolean };
type Source = { file: string; tree: ts.SourceFile; nodes: ts.Node[] };
type NamedFunction = ts.FunctionDeclaration | ts.MethodDeclaration;

function none(found: string[], advice: string): void {
  assert.ok(found.length === 0, `${advice}\n  ${found.join('\n  ')}`);
}

function filesBelow(folder: string): string[] {
  const skipped = /^(node_modules|dist.*|generated|coverage|\.git|\.oncepay)$/;
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.test(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [relative(repository, path)] : [];
  });
}

function read(file: string): string {
  return readFileSync(join(repository, file), 'utf8');
}

function isTest(file: string): boolean {
  return file.startsWith('test/') || file.endsWith('.spec.ts');
}

function parse(file: string): Source {
  const tree = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2023, true);
  return { file, tree, nodes: nodesOf(tree) };
}

function nodesOf(tree: ts.SourceFile): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return nodes;
}

function where({ file, tree }: Source, node: ts.Node): string {
  const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  return `${file}:${line}  ${node.getText(tree).split('\n')[0]?.slice(0, 100)}`;
}

function linesOf({ tree }: Source, node: ts.Node): number {
  return node.getText(tree).split('\n').length;
}

function isNamedFunction(node: ts.Node): node is NamedFunction {
  return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node);
}

function isNamed(node: ts.Node): node is ts.DeclarationStatement {
  return (
    ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
  );
}

function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false);
}

function isFunction(node: ts.Statement): boolean {
  if (ts.isFunctionDeclaration(node)) return true;
  if (!ts.isVariableStatement(node)) return false;
  return node.declarationList.declarations.some(({ initializer }) => initializer !== undefined && ts.isArrowFunction(initializer));
}

function isExplained(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}

function isDoubleAssertion(node: ts.Node): boolean {
  return ts.isAsExpression(node) && ts.isAsExpression(node.expression) && node.expression.type.kind === ts.SyntaxKind.UnknownKeyword;
}

function saysNothing(words: string[]): boolean {
  return words.some((word) => emptyNames.includes(word.toLowerCase()));
}

function camelWords(name: string): string[] {
  return name.split(/(?=[A-Z])|_/);
}

function matches(among: string[], pattern: RegExp): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}  ${line.trim()}`] : [])),
  );
}

/** The name of a package by its path in the lock. */
function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function deadScripts(file: string, scripts: Record<string, string>): string[] {
  const named = [...read(file).matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = '']) => script);
  return named.filter((script) => !(script in scripts)).map((script) => `${file}: npm run ${script}`);
}

/** Titles of tests, or parts of them, in quotes behind the link to their file: each stands there in a text, and not in a comment alone. */
function deadTitles(file: string): string[] {
  return [...read(file).matchAll(/\]\(([^)\s]+\.spec\.ts)\)((?:,? "[^"\n]+")+)/g)].flatMap(([, link = '', titles = '']) => {
    const spec = sources.find((source) => source.file === join(dirname(file), link));
    const texts = spec === undefined ? [] : spec.nodes.filter(isText).map((node) => node.text);
    return [...titles.matchAll(/"([^"]+)"/g)]
      .filter(([, title = '']) => !texts.some((text) => text.includes(title)))
      .map(([, title = '']) => `${file}: "${title}"`);
  });
}

/** The texts of a test file, those around what a template puts in among them. */
function isText(node: ts.Node): node is ts.LiteralLikeNode {
  return ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
}

/** Relative links, and words in backticks that start with one of our folders. */
function deadPaths(file: string): string[] {
  const text = read(file).replace(/^```[\s\S]*?^```/gm, '');
  const links = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, link = '']) => join(dirname(file), link));
  const folders = new RegExp('`((?:apps|libs|clients|test|tools|docs|deploy|prisma|\\.ci)/[^`\\s*<>{}$]*)`', 'g');
  const paths = [...text.matchAll(folders)].map(([, path = '']) => path.replace(/[:#]L?\d+$/, ''));
  return [...links, ...paths].filter((path) => !existsSync(join(repository, path))).map((path) => `${file}: ${path}`);
}
