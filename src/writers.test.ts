import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { packageRoot } from './paths';

/**
 * The only files besides `writing.ts` that may change files, and why: that module follows no link out of the folder it
 * works in.
 */
const exceptions: Record<string, string> = {
  'writing.ts': 'the module itself',
  'backend-install/build.ts': 'its own cache in the home folder of the user',
  'backend-install/fetch.ts': 'its own cache in the home folder of the user',
  'backend-install/npm.ts': 'its own cache in the home folder of the user',
  'backend-install/pypi.ts': 'its own cache in the home folder of the user',
  'backend-install/unzip.ts': 'its own cache in the home folder of the user',
  'engine-install/packages.ts': 'chmod of the uv that it downloaded, in the home folder of the user',
  'extension/commands/remove.ts':
    'deletes through the editor, which moves to the trash; a link itself is removed, not its target',
  'imports/trackio.ts': 'a copy of a database in a temporary folder of its own',
  'host/server.ts': 'chmod of its socket, in a folder private to the user',
  'protocol/host-folder.ts': 'chmod of that folder',
};

const changing =
  /^(l?(chmod|chown|utimes)|writeFile|appendFile|createWriteStream|copyFile|cp|link|symlink|mkdir|mkdtemp|rename|rm|rmdir|unlink|truncate|createDirectory|delete|copy)(Sync)?$/;

/** The calls of a source file that change files by their path: of node:fs, and of the editor's file system. */
function changes(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const whole = new Set<string>();
  const single = new Map<string, string>();
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && /^['"](node:)?fs(\/promises)?['"]$/.test(node.moduleSpecifier.getText())) {
      const { name, namedBindings } = node.importClause ?? {};
      if (name) whole.add(name.text);
      if (namedBindings && ts.isNamespaceImport(namedBindings)) whole.add(namedBindings.name.text);
      if (namedBindings && ts.isNamedImports(namedBindings))
        for (const one of namedBindings.elements) single.set(one.name.text, (one.propertyName ?? one.name).text);
    }
    if (ts.isCallExpression(node)) {
      const name = calledName(node, whole, single);
      const changes = name && (changing.test(name) || (/^open(Sync)?$/.test(name) && !opensToRead(node)));
      if (changes && !onHandle(node)) found.push(name);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The function of a file system that is called; undefined for other calls. */
function calledName({ expression }: ts.CallExpression, whole: Set<string>, single: Map<string, string>) {
  if (ts.isIdentifier(expression)) return single.get(expression.text);
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const of = expression.expression.getText();
  const known = whole.has(of) || /^(\w+\.promises|vscode\.workspace\.fs)$/.test(of);
  return known ? expression.name.text : undefined;
}

const opensToRead = ({ arguments: [, flags] }: ts.CallExpression) =>
  !flags || flags.getText() === "'r'" || /^constants\.O_RDONLY( \| notWaiting)?$/.test(flags.getText());

/** `writeFileSync(handle, ...)` writes to a file that was opened before. */
const onHandle = ({ arguments: [first] }: ts.CallExpression) => /^(handle|descriptor)$/.test(first?.getText() ?? '');

it('files and folders are changed by one module', () => {
  const folder = join(packageRoot(), 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(^|[\\/])testing[\\/]/.test(file),
  );
  const found = files.flatMap((file) => {
    const names = changes(join(folder, file));
    return names.length > 0 ? [[file.replaceAll('\\', '/'), names]] : [];
  });
  expect(Object.keys(Object.fromEntries(found)).sort()).toEqual(Object.keys(exceptions).sort());
});
