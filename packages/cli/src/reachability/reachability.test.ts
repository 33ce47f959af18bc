// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadSyntax } from '@holdfast/server/command'
import { analyseReachability, parseSymbols, type Reachability } from './index.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const vulnerable = `
function weak(text) { return new RegExp(text) }
function fine(text) { return text }
function wrapped(text) { return weak(text) }
class Reader { read(text) { return weak(text) } close() {} }
exports.weak = weak
exports.fine = fine
exports.wrapped = wrapped
exports.Reader = Reader
`

/** The answer for the export `weak` of the package `frail`, in an application of such files. */
async function ask(
  files: Readonly<Record<string, string>>,
  symbols = 'weak',
  limits: { readonly insideSeconds?: number; readonly maxSeconds?: number } = {},
): Promise<Reachability> {
  const folder = mkdtempSync(join(tmpdir(), 'reach-'))
  folders.push(folder)
  const all = {
    'package.json':
      '{"name":"app","version":"1.0.0","main":"index.js","dependencies":{"frail":"1.0.0","between":"1.0.0"}}',
    'node_modules/frail/package.json': '{"name":"frail","version":"1.0.0","main":"lib.js"}',
    'node_modules/frail/lib.js': vulnerable,
    ...files,
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const { parseSource } = await loadSyntax()
  const given = symbols === '' ? [] : parseSymbols(`GHSA-1\tfrail\t${symbols}`)
  const hit = { key: 'it', ids: ['GHSA-1'], package: 'frail', covers: (each: string) => each === '1.0.0' }
  const answers = await analyseReachability({ folder, symbols: given, ...limits }, [hit], parseSource)
  const answer = answers.get('it')
  assert.ok(answer !== undefined)
  return answer
}

const between = (text: string) => ({
  'node_modules/between/package.json':
    '{"name":"between","version":"1.0.0","dependencies":{"frail":"1.0.0"}}',
  'node_modules/between/index.js': text,
})

const reached: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a member of what require gives': { 'index.js': "const f = require('frail'); f.weak('a')" },
  'a name taken out of it': { 'index.js': "const { weak: w } = require('frail'); w('a')" },
  'a named import': { 'index.js': "import { weak } from 'frail'; weak('a')" },
  'a default import': { 'index.js': "import f from 'frail'; f.weak('a')" },
  'a namespace': { 'index.js': "import * as f from 'frail'; f.weak('a')" },
  'a dynamic import': {
    'index.js': "async function go() { const { weak } = await import('frail'); weak('a') } go()",
  },
  'a promise of it': { 'index.js': "import('frail').then(f => f.weak('a'))" },
  'an alias': { 'index.js': "const f = require('frail'); const g = f.weak; const h = g; h('a')" },
  'a module of its own in between': {
    'index.js': "require('./own').again('a')",
    'own.js': "exports.again = require('frail').weak",
  },
  'an export from': {
    'index.mjs': '',
    'index.js': "import { weak } from './own.mjs'; weak('a')",
    'own.mjs': "export * from 'frail'",
  },
  'a callback': { 'index.js': "const { weak } = require('frail'); ['a'].map(weak)" },
  'a method of a class': {
    'index.js':
      "const f = require('frail'); class A { run() { return f.weak('a') } } class B extends A { go() { return this.run() } } new B().go()",
  },
  'a prototype': {
    'index.js':
      "const f = require('frail'); function A() {} A.prototype.run = function () { f.weak('a') }; new A().run()",
  },
  apply: { 'index.js': "const f = require('frail'); f.weak.apply(null, ['a'])" },
  'another export that calls it': { 'index.js': "require('frail').wrapped('a')" },
  'a dependency in between': {
    ...between("exports.go = t => require('frail').weak(t)"),
    'index.js': "require('between').go('a')",
  },
  TypeScript: {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts': "import { weak } from 'frail'; const t: string = 'a'; weak(t as string)",
  },
  TSX: {
    'package.json': '{"name":"app","main":"index.tsx"}',
    'index.tsx':
      "import { weak } from 'frail'; const A = ({ a }: { a?: string }) => <p<string> onClick={() => weak(a as string)} />; render(<A />)",
  },
  'TypeScript that is more than types': {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts':
      "import { weak } from 'frail'; enum E { One } class A { constructor(private readonly f = weak) {} go(e: E) { this.f('a') } } new A().go(E.One)",
  },
  'a class that a framework is given by its decorator': {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts':
      "import { weak } from 'frail'; import { Controller, Get, Body } from 'framework'; @Controller('a') export class A { @Get() get(@Body() text: string) { return weak(text) } }",
  },
  'a decorator of a parameter': {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts': "import { weak } from 'frail'; class A { go(@weak('a') text: string) {} } new A()",
  },
  'a decorator': {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts': "import { weak } from 'frail'; class A { @weak go() {} } new A()",
  },
  JSX: {
    'index.js':
      "import { weak } from 'frail'; const A = () => <p onClick={() => weak('a')} />; render(<A />)",
  },
  'a constant name': { 'index.js': "const name = 'fra' + 'il'; require(name)['we' + 'ak']('a')" },
}

const notReached: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'TSX that calls another export': {
    'package.json': '{"name":"app","main":"index.tsx"}',
    'index.tsx':
      "import { fine } from 'frail'; const A = ({ a }: { a?: string }) => <p onClick={() => fine(a as string)} />; render(<A />)",
  },
  'a type alone': {
    'package.json': '{"name":"app","main":"index.ts"}',
    'index.ts':
      "import type { weak } from 'frail'; import { fine } from 'frail'; enum E { a } const f: typeof weak = fine; f('a')",
  },
  'nothing loads it': { 'index.js': "console.log('a')" },
  'only another export is called': { 'index.js': "const f = require('frail'); f.fine('a')" },
  'only another name is imported': { 'index.js': "import { fine } from 'frail'; fine('a')" },
  'what calls it is called by nobody': {
    'index.js': "const f = require('frail'); function unused() { f.weak('a') } f.fine('a')",
  },
  'a dependency calls it in a function that is not used': {
    ...between(
      "const f = require('frail'); exports.go = () => f.weak('a'); exports.other = () => f.fine('a')",
    ),
    'index.js': "require('between').other()",
  },
  'only a dependency that is not used brings it': {
    ...between("require('frail').weak('a')"),
    'index.js': '',
  },
  'only a test calls it': {
    'index.js': "require('frail').fine('a')",
    'test/a.test.js': "require('frail').weak('a')",
  },
}

const notKnown: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a handler in an object': {
    'index.js':
      "const { weak } = require('frail'); const table = { go: weak }; table['g' + Math.random()]('a')",
  },
  'a computed member': { 'index.js': "const f = require('frail'); f[process.argv[2]]('a')" },
  'a computed name of a module': { 'index.js': "require(process.argv[2]).run('a')" },
  'the whole module passed on': { 'index.js': "const f = require('frail'); globalThis.run(f)" },
  eval: { 'index.js': "const f = require('frail'); eval(process.argv[2])" },
  'a file that no parser takes': { 'index.js': "const f = require('frail'); f.fine((('" },
}

describe('a vulnerable export is reachable by way of', () => {
  for (const [name, files] of Object.entries(reached))
    test(name, async () => {
      const { verdict, path } = await ask(files)
      assert.equal(verdict, 'reachable')
      assert.match(path[0]?.what ?? '', /^begins at index/)
    })
})

describe('a vulnerable export is not reachable where', () => {
  for (const [name, files] of Object.entries(notReached))
    test(name, async () => assert.equal((await ask(files)).verdict, 'not-reachable'))
})

describe('it is not known, and counts as reachable, because of', () => {
  for (const [name, files] of Object.entries(notKnown))
    test(name, async () => assert.equal((await ask(files)).verdict, 'unknown'))
})

describe('where looking into the package takes too long, its exports alone answer', () => {
  const verdictOf = async (files: Readonly<Record<string, string>>) =>
    (await ask(files, 'weak', { insideSeconds: 0 })).verdict
  const { 'another export that calls it': _inside, ...byName } = reached
  for (const [name, files] of Object.entries({ ...byName, ...notKnown }))
    test(`reached, or not known: ${name}`, async () =>
      assert.notEqual(await verdictOf(files), 'not-reachable'))
  for (const [name, files] of Object.entries(notReached))
    test(`not reached: ${name}`, async () => assert.equal(await verdictOf(files), 'not-reachable'))
})

test('without symbols, what is loaded counts as reachable, with the exports that are read', async () => {
  const { verdict, uses } = await ask({ 'index.js': "require('frail').fine('a')" }, '')
  assert.equal(verdict, 'unknown')
  assert.deepEqual(uses, ['fine'])
})

test('a path says where each step is taken', async () => {
  const { path } = await ask({
    'index.js': "const f = require('frail')\n\nfunction go() {\n  f.weak('a')\n}\ngo()",
  })
  assert.deepEqual(
    path.map(({ file, line }) => `${file}:${line}`),
    ['package.json:1', 'index.js:6', 'index.js:4'],
  )
})

test('a method of a class is a symbol', async () => {
  const files = (method: string) => ({
    'index.js': `const { Reader } = require('frail'); new Reader().${method}('a')`,
  })
  assert.equal((await ask(files('read'), 'Reader.prototype.read')).verdict, 'reachable')
  assert.equal((await ask(files('close'), 'Reader.prototype.read')).verdict, 'not-reachable')
})

describe('where there is no time to go through anything, what files name answers', () => {
  const late = async (files: Readonly<Record<string, string>>) =>
    (await ask(files, 'weak', { maxSeconds: 0 })).verdict
  const named = "const f = require('frail'); f.fine('a')"
  test('a package that no file names is not reached', async () => {
    assert.equal(await late({ 'index.js': "import('./own.js')", 'own.js': "require('fs')" }), 'not-reachable')
    assert.equal(
      await late({ 'index.js': "require('between')", ...between("require('fs')") }),
      'not-reachable',
    )
    assert.equal(await late({ 'index.js': "require('fs')", 'own.js': named }), 'not-reachable')
  })
  test('one that a file names, or may name, is not known', async () => {
    assert.equal(await late({ 'index.js': named }), 'unknown')
    assert.equal(
      await late({ 'index.js': "export * from './own.mjs'", 'own.mjs': "import 'frail/lib'" }),
      'unknown',
    )
    assert.equal(
      await late({ 'index.js': "require('between')", ...between("require('frail').fine()") }),
      'unknown',
    )
    assert.equal(await late({ 'index.js': "require('./' + 'own')", 'own.js': named }), 'unknown')
    assert.equal(await late({ 'index.js': 'const all = x => import(x)' }), 'unknown')
    assert.equal(await late({ 'index.js': 'eval("req" + "uire(\'frail\')")' }), 'unknown')
  })
})

test('links that lead in circles end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'reach-'))
  folders.push(folder)
  mkdirSync(join(folder, 'node_modules', 'a'), { recursive: true })
  writeFileSync(join(folder, 'index.js'), "require('a')")
  symlinkSync('..', join(folder, 'node_modules', 'a', 'node_modules'))
  symlinkSync('self', join(folder, 'self'))
  const { parseSource } = await loadSyntax()
  const hit = { key: 'it', ids: [], package: 'a' }
  assert.equal((await analyseReachability({ folder }, [hit], parseSource)).get('it')?.verdict, 'unknown')
})
