// SPDX-License-Identifier: Apache-2.0
/** Kinds of code by which a vulnerable export is reached, each beside code of the same kind that does not reach it where that is told. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { loadSyntax } from '@holdfast/server/command'
import { analyseReachability, parseSymbols, type Reachability } from './index.ts'

type Files = Readonly<Record<string, string | null>>
type Links = Readonly<Record<string, string>>
/** Files that reach it, files of the same kind that do not, and links among both. */
type Kind = readonly [reached: Files, notReached: Files | null, links?: Links]

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const vulnerable = `
function weak(text) { return new RegExp(text) }
function fine(text) { return text }
class Reader { read(text) { return weak(text) } close() {} static of(t) { return new Reader(t) } get value() { return weak('x') } }
exports.weak = weak
exports.fine = fine
exports.Reader = Reader
`

/** The answer for the export `weak` of the package `frail`; `null` takes a file away. */
async function ask(files: Files, links: Links = {}): Promise<Reachability['verdict'] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'reach-kind-'))
  folders.push(folder)
  const all: Files = {
    'package.json':
      '{"name":"app","version":"1.0.0","main":"index.js","dependencies":{"frail":"1.0.0","between":"1.0.0"}}',
    'node_modules/frail/package.json': '{"name":"frail","version":"1.0.0","main":"lib.js"}',
    'node_modules/frail/lib.js': vulnerable,
    ...files,
  }
  for (const [path, text] of Object.entries(all)) {
    if (text === null) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const [path, to] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    symlinkSync(to, join(folder, path))
  }
  const { parseSource } = await loadSyntax()
  const hit = { key: 'it', ids: ['GHSA-1'], package: 'frail', covers: (each: string) => each === '1.0.0' }
  const symbols = parseSymbols('GHSA-1\tfrail\tweak')
  return (await analyseReachability({ folder, symbols }, [hit], parseSource)).get('it')?.verdict
}

const btw = (text: string) => ({
  'node_modules/between/package.json':
    '{"name":"between","version":"1.0.0","dependencies":{"frail":"1.0.0"}}',
  'node_modules/between/index.js': text,
})
const ts = { 'package.json': '{"name":"app","main":"index.ts","dependencies":{"frail":"1.0.0"}}' }

const kinds: Readonly<Record<string, Kind>> = {
  'a barrel': [
    {
      'index.js': "import { weak } from './lib/index.js'; weak('a')",
      'lib/index.js': "export * from './one.js'; export * as two from './two.js'",
      'lib/one.js': "export { weak, fine } from 'frail'",
      'lib/two.js': 'export const x = 1',
    },
    {
      'index.js': "import { fine } from './lib/index.js'; fine('a')",
      'lib/index.js': "export * from './one.js'",
      'lib/one.js': "export { weak, fine } from 'frail'",
    },
  ],
  'a namespace of a barrel': [
    {
      'index.js': "import { two } from './lib/index.js'; two.weak('a')",
      'lib/index.js': "export * as two from './two.js'",
      'lib/two.js': "export * from 'frail'",
    },
    {
      'index.js': "import { two } from './lib/index.js'; two.fine('a')",
      'lib/index.js': "export * as two from './two.js'",
      'lib/two.js': "export * from 'frail'",
    },
  ],
  'an export that a barrel renames': [
    { 'index.js': "import go from './lib.js'; go('a')", 'lib.js': "export { weak as default } from 'frail'" },
    {
      'index.js': "import go from './lib.js'; go('a')",
      'lib.js': "export { fine as default, weak } from 'frail'",
    },
  ],
  'a static method': [
    { 'index.js': "import { weak } from 'frail'; class A { static run(t) { return weak(t) } } A.run('a')" },
    {
      'index.js':
        "import { weak } from 'frail'; class A { static run(t) { return weak(t) } static ok() {} } A.ok('a')",
    },
  ],
  'a private method': [
    {
      'index.js':
        "import { weak } from 'frail'; class A { #r(t) { return weak(t) } go() { this.#r('a') } } new A().go()",
    },
    {
      'index.js':
        "import { weak } from 'frail'; class A { #r(t) { return weak(t) } go() { this.#r('a') } ok() {} } new A().ok()",
    },
  ],
  'a field that holds a function': [
    { 'index.js': "import { weak } from 'frail'; class A { run = t => weak(t) } new A().run('a')" },
    {
      'index.js':
        "import { weak } from 'frail'; class A { run = t => weak(t); ok = () => 1 } new A().ok('a')",
    },
  ],
  'a getter': [
    {
      'index.js':
        "import { weak } from 'frail'; const o = { get x() { return weak('a') } }; console.log(o.x)",
    },
    {
      'index.js':
        "import { weak } from 'frail'; const o = { get x() { return weak('a') }, y: 1 }; console.log(o.y)",
    },
  ],
  'a method by super': [
    {
      'index.js':
        "import { weak } from 'frail'; class A { run(t) { return weak(t) } } class B extends A { run(t) { return super.run(t) } } new B().run('a')",
    },
    null,
  ],
  'a class that is passed on': [
    { 'index.js': "const { Reader } = require('frail'); const make = C => new C(); make(Reader).read('a')" },
    { 'index.js': "const { Reader } = require('frail'); const make = C => new C(); make(Reader).close('a')" },
  ],
  'a factory of a class': [
    { 'index.js': "const { Reader } = require('frail'); Reader.of('a').read('a')" },
    { 'index.js': "const { Reader } = require('frail'); Reader.of('a').close('a')" },
  ],
  'a getter of a class': [
    { 'index.js': "const { Reader } = require('frail'); console.log(new Reader().value)" },
    null,
  ],
  'a callback passed through': [
    {
      'index.js':
        "const f = require('frail'); const run = (g, x) => g(x); const twice = (g, x) => run(g, run(y => y, x)); twice(f.weak, 'a')",
    },
    { 'index.js': "const f = require('frail'); const run = (g, x) => g(x); run(f.fine, 'a')" },
  ],
  'a callback among options': [
    {
      'index.js':
        "import { weak } from 'frail'; function serve({ onText }) { return onText('a') } serve({ onText: weak })",
    },
    {
      'index.js':
        "import { weak, fine } from 'frail'; function serve({ onText }) { return onText('a') } serve({ onText: fine, other: weak })",
    },
  ],
  'a callback that a dependency calls': [
    {
      ...btw('exports.each = (l, f) => l.map(x => f(x))'),
      'index.js': "require('between').each(['a'], require('frail').weak)",
    },
    {
      ...btw('exports.each = (l, f) => l.map(x => f(x))'),
      'index.js': "require('between').each(['a'], require('frail').fine)",
    },
  ],
  'a listener': [
    {
      'index.js':
        "const E = require('events'); const { weak } = require('frail'); const e = new E(); e.on('x', t => weak(t)); e.emit('x', 'a')",
    },
    {
      'index.js':
        "const E = require('events'); const { fine } = require('frail'); const e = new E(); e.on('x', t => fine(t)); e.emit('x', 'a')",
    },
  ],
  'a chain of promises': [
    { 'index.js': "const { weak } = require('frail'); Promise.resolve('a').then(x => x).then(weak)" },
    null,
  ],
  'a table by a constant key': [
    { 'index.js': "const { weak, fine } = require('frail'); const t = { a: weak, b: fine }; t['a']('x')" },
    { 'index.js': "const { weak, fine } = require('frail'); const t = { a: weak, b: fine }; t['b']('x')" },
  ],
  'a map': [
    {
      'index.js':
        "const { weak, fine } = require('frail'); const t = new Map([['a', weak]]); t.get('a')('x')",
    },
    {
      'index.js':
        "const { weak, fine } = require('frail'); const t = new Map([['b', fine]]); t.get('b')('x')",
    },
  ],
  'a function that gives a function': [
    { 'index.js': "const { weak } = require('frail'); const c = f => x => f(x); c(weak)('a')" },
    { 'index.js': "const { fine } = require('frail'); const c = f => x => f(x); c(fine)('a')" },
  ],
  'a bound function': [
    { 'index.js': "const { weak } = require('frail'); const g = weak.bind(null, 'a'); setTimeout(g, 1)" },
    null,
  ],
  'a module by a constant name': [
    {
      'index.js': "const dir = './plug'; for (const n of ['one']) require(dir + '/' + n).go('a')",
      'plug/one.js': "exports.go = t => require('frail').weak(t)",
    },
    {
      'index.js': "const dir = './plug'; require(dir + '/' + 'two').go('a')",
      'plug/one.js': "exports.go = t => require('frail').weak(t)",
      'plug/two.js': 'exports.go = t => t',
    },
  ],
  'a module by a template': [
    {
      'index.js': "const n = 'one'; require(`./plug/${n}`).go('a')",
      'plug/one.js': "exports.go = t => require('frail').weak(t)",
    },
    {
      'index.js': "const n = 'two'; require(`./plug/${n}`).go('a')",
      'plug/one.js': "exports.go = t => require('frail').weak(t)",
      'plug/two.js': 'exports.go = t => t',
    },
  ],
  'a table of imports': [
    {
      'index.js': "const pages = { a: () => import('./a.js') }; pages.a().then(m => m.default('x'))",
      'a.js': "import { weak } from 'frail'; export default x => weak(x)",
    },
    {
      'index.js': "const pages = { a: () => import('./a.js') }; pages.a().then(m => m.default('x'))",
      'a.js': "import { fine } from 'frail'; export default x => fine(x)",
    },
  ],
  'a module loaded when it is needed': [
    { 'index.js': "let f; const get = () => f ??= require('frail'); get().weak('a')" },
    { 'index.js': "let f; const get = () => f ??= require('frail'); get().fine('a')" },
  ],
  createRequire: [
    {
      'package.json': '{"name":"app","type":"module","main":"index.js","dependencies":{"frail":"1.0.0"}}',
      'index.js':
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); require('frail').weak('a')",
    },
    {
      'package.json': '{"name":"app","type":"module","main":"index.js","dependencies":{"frail":"1.0.0"}}',
      'index.js':
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); require('frail').fine('a')",
    },
  ],
  'a path of tsconfig': [
    {
      ...ts,
      'tsconfig.json':
        '{"compilerOptions":{"baseUrl":".","paths":{"@lib/*":["src/lib/*"],"#x":["src/x.ts"]}}}',
      'index.ts': "import { go } from '@lib/go'; go('a')",
      'src/lib/go.ts': "import { weak } from 'frail'; export const go = (t: string) => weak(t)",
    },
    {
      ...ts,
      'tsconfig.json': '{"compilerOptions":{"baseUrl":".","paths":{"@lib/*":["src/lib/*"]}}}',
      'index.ts': "import { go } from '@lib/go'; go('a')",
      'src/lib/go.ts': "import { fine } from 'frail'; export const go = (t: string) => fine(t)",
    },
  ],
  'a path of a tsconfig above': [
    {
      ...ts,
      'tsconfig.base.json': '{\n // base\n "compilerOptions":{"paths":{"~/*":["./src/*"],},}}',
      'tsconfig.json': '{"extends":"./tsconfig.base.json"}',
      'index.ts': "import { go } from '~/go'; go('a')",
      'src/go.ts': "import { weak } from 'frail'; export const go = (t: string) => weak(t)",
    },
    null,
  ],
  baseUrl: [
    {
      ...ts,
      'tsconfig.json': '{"compilerOptions":{"baseUrl":"src"}}',
      'index.ts': "import { go } from 'feature/go'; go('a')",
      'src/feature/go.ts': "import { weak } from 'frail'; export const go = (t: string) => weak(t)",
    },
    null,
  ],
  '.js for .ts': [
    {
      ...ts,
      'index.ts': "import { go } from './go.js'; go('a')",
      'go.ts': "import { weak } from 'frail'; export const go = (t: string) => weak(t)",
    },
    {
      ...ts,
      'index.ts': "import { go } from './go.js'; go('a')",
      'go.ts':
        "import { weak, fine } from 'frail'; export const go = (t: string) => fine(t); export const no = () => weak('a')",
    },
  ],
  'import = require': [
    { ...ts, 'index.ts': "import f = require('frail'); f.weak('a')" },
    { ...ts, 'index.ts': "import f = require('frail'); f.fine('a')" },
  ],
  'a namespace of TypeScript': [
    {
      ...ts,
      'index.ts':
        "import { weak } from 'frail'; namespace N { export const go = (t: string) => weak(t) } N.go('a')",
    },
    null,
  ],
  'an abstract class': [
    {
      ...ts,
      'index.ts':
        "import { weak } from 'frail'; abstract class A { abstract t(): string; go() { return weak(this.t()) } } class B extends A { t() { return 'a' } } new B().go()",
    },
    null,
  ],
  'assertions of types': [
    { ...ts, 'index.ts': "import * as f from 'frail'; (f as any)['weak']!('a'); const x = <string>'a'" },
    { ...ts, 'index.ts': "import * as f from 'frail'; (f as any)['fine']!('a') satisfies unknown" },
  ],
  'a default of a compiled module': [
    {
      'index.js': "const f = require('between'); f.default.weak('a')",
      ...btw("Object.defineProperty(exports,'__esModule',{value:true}); exports.default = require('frail')"),
    },
    {
      'index.js': "const f = require('between'); f.default.fine('a')",
      ...btw("Object.defineProperty(exports,'__esModule',{value:true}); exports.default = require('frail')"),
    },
  ],
  __importDefault: [
    {
      'index.js':
        "var __importDefault = (this && this.__importDefault) || function (mod) { return (mod && mod.__esModule) ? mod : { 'default': mod } }; const frail_1 = __importDefault(require('frail')); frail_1.default.weak('a')",
    },
    {
      'index.js':
        "var __importDefault = (this && this.__importDefault) || function (mod) { return (mod && mod.__esModule) ? mod : { 'default': mod } }; const frail_1 = __importDefault(require('frail')); frail_1.default.fine('a')",
    },
  ],
  __importStar: [
    {
      'index.js':
        "var __importStar = (this && this.__importStar) || function (mod) { if (mod && mod.__esModule) return mod; var r = {}; for (var k in mod) if (k !== 'default') r[k] = mod[k]; r.default = mod; return r }; const f = __importStar(require('frail')); (0, f.weak)('a')",
    },
    null,
  ],
  'default and named of one module': [
    {
      'index.js': "import d, { fine } from 'between'; fine('a'); d('a')",
      ...btw("const f = require('frail'); module.exports = f.weak; module.exports.fine = f.fine"),
    },
    {
      'index.js': "import d, { fine } from 'between'; fine('a')",
      ...btw("const f = require('frail'); module.exports = t => f.weak(t); module.exports.fine = f.fine"),
    },
  ],
  'conditions of exports': [
    {
      'index.js': "import { go } from 'between'; go('a')",
      'node_modules/between/package.json':
        '{"name":"between","version":"1.0.0","exports":{".":{"browser":"./b.js","import":"./i.mjs","require":"./r.cjs","default":"./r.cjs"}},"dependencies":{"frail":"1.0.0"}}',
      'node_modules/between/i.mjs': "import { weak } from 'frail'; export const go = t => weak(t)",
      'node_modules/between/r.cjs': 'exports.go = t => t',
      'node_modules/between/b.js': 'export const go = t => t',
    },
    {
      'index.js': "import { ok } from 'between/sub'; ok('a')",
      'node_modules/between/package.json':
        '{"name":"between","version":"1.0.0","exports":{".":"./i.mjs","./sub":{"import":"./s.mjs","require":"./s.cjs"}},"dependencies":{"frail":"1.0.0"}}',
      'node_modules/between/i.mjs': "import { weak } from 'frail'; weak('a')",
      'node_modules/between/s.mjs': 'export const ok = t => t',
      'node_modules/between/s.cjs': 'exports.ok = t => t',
    },
  ],
  'a pattern of exports': [
    {
      'index.js': "import { go } from 'between/features/x'; go('a')",
      'node_modules/between/package.json':
        '{"name":"between","version":"1.0.0","exports":{"./features/*":{"node":{"import":"./src/*.mjs"},"default":"./src/*.cjs"},"./features/private/*":null},"dependencies":{"frail":"1.0.0"}}',
      'node_modules/between/src/x.mjs': "import { weak } from 'frail'; export const go = t => weak(t)",
      'node_modules/between/src/x.cjs': 'exports.go = t => t',
    },
    null,
  ],
  'exports of the flawed package': [
    {
      'index.js': "import { weak } from 'frail/fn'; weak('a')",
      'node_modules/frail/package.json':
        '{"name":"frail","version":"1.0.0","exports":{".":"./lib.js","./fn":{"types":"./fn.d.ts","import":"./fn.mjs"}}}',
      'node_modules/frail/fn.mjs': "export { weak, fine } from './lib.js'",
    },
    {
      'index.js': "import { fine } from 'frail/fn'; fine('a')",
      'node_modules/frail/package.json':
        '{"name":"frail","version":"1.0.0","exports":{".":"./lib.js","./fn":{"import":"./fn.mjs"}}}',
      'node_modules/frail/fn.mjs': "export { weak, fine } from './lib.js'",
    },
  ],
  'imports of the manifest': [
    {
      'package.json':
        '{"name":"app","main":"index.js","type":"module","imports":{"#in/*":"./in/*.js"},"dependencies":{"frail":"1.0.0"}}',
      'index.js': "import { go } from '#in/go'; go('a')",
      'in/go.js': "import { weak } from 'frail'; export const go = weak",
    },
    {
      'package.json':
        '{"name":"app","main":"index.js","type":"module","imports":{"#in/*":"./in/*.js"},"dependencies":{"frail":"1.0.0"}}',
      'index.js': "import { go } from '#in/go'; go('a')",
      'in/go.js': "import { fine } from 'frail'; export const go = fine",
    },
  ],
  'a workspace': [
    {
      'package.json': '{"name":"root","private":true,"workspaces":["packages/*"]}',
      'packages/web/package.json': '{"name":"@m/web","main":"index.js","dependencies":{"@m/core":"*"}}',
      'packages/web/index.js': "require('@m/core').go('a')",
      'packages/core/package.json':
        '{"name":"@m/core","main":"src/main.js","dependencies":{"frail":"1.0.0"}}',
      'packages/core/src/main.js': "exports.go = t => require('frail').weak(t)",
    },
    {
      'package.json': '{"name":"root","private":true,"workspaces":["packages/*"]}',
      'packages/web/package.json': '{"name":"@m/web","main":"index.js","dependencies":{"@m/core":"*"}}',
      'packages/web/index.js': "require('@m/core').ok('a')",
      'packages/core/package.json':
        '{"name":"@m/core","main":"src/main.js","dependencies":{"frail":"1.0.0"}}',
      'packages/core/src/main.js': "exports.ok = t => require('frail').fine(t)",
    },
    { 'node_modules/@m/core': '../../packages/core', 'node_modules/@m/web': '../../packages/web' },
  ],
  'a workspace of TypeScript': [
    {
      'package.json': '{"name":"root","private":true,"workspaces":["apps/*","libs/*"]}',
      'apps/api/package.json': '{"name":"api","main":"src/main.ts","dependencies":{"@m/util":"workspace:*"}}',
      'apps/api/src/main.ts': "import { go } from '@m/util'; go('a')",
      'libs/util/package.json':
        '{"name":"@m/util","exports":{".":{"types":"./src/index.ts","default":"./dist/index.js"}},"dependencies":{"frail":"1.0.0"}}',
      'libs/util/src/index.ts': "export * from './go'",
      'libs/util/src/go.ts': "import { weak } from 'frail'; export const go = (t: string) => weak(t)",
    },
    null,
    { 'node_modules/@m/util': '../../libs/util' },
  ],
  'links of pnpm': [
    {
      'node_modules/.pnpm/between@1.0.0/node_modules/between/package.json':
        '{"name":"between","version":"1.0.0","dependencies":{"frail":"1.0.0"}}',
      'node_modules/.pnpm/between@1.0.0/node_modules/between/index.js':
        "exports.go = t => require('frail').weak(t)",
      'node_modules/.pnpm/frail@1.0.0/node_modules/frail/package.json':
        '{"name":"frail","version":"1.0.0","main":"lib.js"}',
      'node_modules/.pnpm/frail@1.0.0/node_modules/frail/lib.js': vulnerable,
      'node_modules/frail/package.json': null,
      'node_modules/frail/lib.js': null,
      'index.js': "require('between').go('a')",
    },
    null,
    {
      'node_modules/between': '.pnpm/between@1.0.0/node_modules/between',
      'node_modules/.pnpm/between@1.0.0/node_modules/frail': '../../frail@1.0.0/node_modules/frail',
    },
  ],
  'an asynchronous generator': [
    {
      'index.js':
        "import { weak } from 'frail'; async function* g() { yield weak('a') } for await (const x of g()) console.log(x)",
    },
    { 'index.js': "import { weak, fine } from 'frail'; async function* g() { yield weak('a') } fine('a')" },
  ],
  'a function called where it stands': [
    { 'index.js': "(function (f) { f.weak('a') })(require('frail'))" },
    { 'index.js': "(function (f) { f.fine('a') })(require('frail'))" },
  ],
  'Object.assign and spreads': [
    { 'index.js': "const api = Object.assign({}, require('frail')); api.weak('a')" },
    { 'index.js': "const api = { ...require('frail') }; api.fine('a')" },
  ],
  'a spread into exports': [
    {
      'index.js': "require('./all').weak('a')",
      'all.js': "module.exports = { ...require('frail'), more: 1 }",
    },
    {
      'index.js': "require('./all').fine('a')",
      'all.js': "module.exports = { ...require('frail'), more: 1 }",
    },
  ],
  'a proxy': [{ 'index.js': "const f = new Proxy(require('frail'), {}); f.weak('a')" }, null],
  'Reflect.apply': [
    { 'index.js': "const { weak } = require('frail'); Reflect.apply(weak, null, ['a'])" },
    null,
  ],
  'a tagged template': [{ 'index.js': "const { weak } = require('frail'); weak`a`" }, null],
  'new': [{ 'index.js': "const { weak } = require('frail'); new weak('a')" }, null],
  'optional calls': [
    { 'index.js': "const f = require('frail'); f?.weak?.('a')" },
    { 'index.js': "const f = require('frail'); f?.fine?.('a')" },
  ],
  'one of two functions': [
    { 'index.js': "const f = require('frail'); const g = process.env.X ? f.weak : f.fine; g('a')" },
    null,
  ],
  'a default of a parameter': [
    { 'index.js': "const { weak } = require('frail'); const go = (f = weak) => f('a'); go()" },
    null,
  ],
  'a comparison': [{ 'index.js': "const { weak } = require('frail'); [3,1].sort((a, b) => weak(a))" }, null],
  'what makes JSON of an object': [
    { 'index.js': "const { weak } = require('frail'); JSON.stringify({ toJSON() { return weak('a') } })" },
    null,
  ],
  'what makes a text of an object': [
    {
      'index.js':
        "const { weak } = require('frail'); const o = { toString() { return weak('a') } }; console.log(`${o}`)",
    },
    null,
  ],
  'an iterator': [
    {
      'index.js':
        "const { weak } = require('frail'); const o = { *[Symbol.iterator]() { yield weak('a') } }; for (const x of o) ;",
    },
    null,
  ],
  'a mixin': [
    {
      'index.js':
        "const { weak } = require('frail'); const M = B => class extends B { go() { return weak('a') } }; class A {} class C extends M(A) {} new C().go()",
    },
    {
      'index.js':
        "const { weak } = require('frail'); const M = B => class extends B { go() { return weak('a') } ok() {} }; class A {} class C extends M(A) {} new C().ok()",
    },
  ],
  'methods assigned to a prototype': [
    {
      'index.js':
        "const { weak } = require('frail'); function A() {} Object.assign(A.prototype, { go() { weak('a') } }); new A().go()",
    },
    null,
  ],
  'util.inherits': [
    {
      'index.js':
        "const { weak } = require('frail'), util = require('util'); function P() {} P.prototype.go = function () { weak('a') }; function A() {} util.inherits(A, P); new A().go()",
    },
    null,
  ],
  'a worker by require.resolve': [
    {
      'index.js': "const { Worker } = require('worker_threads'); new Worker(require.resolve('./w.js'))",
      'w.js': "require('frail').weak('a')",
    },
    null,
  ],
  'a forked process': [
    {
      'index.js': "require('child_process').fork(require('path').join(__dirname, 'w.js'))",
      'w.js': "require('frail').weak('a')",
    },
    null,
  ],
  'a worker by its address': [
    {
      'package.json': '{"name":"app","type":"module","main":"index.js","dependencies":{"frail":"1.0.0"}}',
      'index.js': "new Worker(new URL('./w.js', import.meta.url))",
      'w.js': "import { weak } from 'frail'; weak('a')",
    },
    null,
  ],
  'a module loaded for what it does': [
    { 'index.js': "import './setup.js'", 'setup.js': "import { weak } from 'frail'; weak('a')" },
    null,
  ],
  'what is kept in the world': [
    { 'index.js': "require('./a'); globalThis.go('a')", 'a.js': "globalThis.go = require('frail').weak" },
    null,
  ],
  'a handler that nobody is seen to call': [
    {
      ...btw('module.exports = () => ({ get() {}, use() {} })'),
      'index.js':
        "const app = require('between')(); const { weak } = require('frail'); app.get('/', (q, s) => s.send(weak(q.query.t)))",
    },
    null,
  ],
  'a handler of a package that is not there': [
    {
      'index.js':
        "const app = require('express')(); const { weak } = require('frail'); app.get('/', (q, s) => s.send(weak(q.query.t)))",
    },
    null,
  ],
  'a command': [
    {
      'package.json': '{"name":"app","bin":{"app":"cli.js"},"dependencies":{"frail":"1.0.0"}}',
      'cli.js': "#!/usr/bin/env node\nrequire('frail').weak('a')",
    },
    null,
  ],
  'a component of Vue': [
    {
      'package.json': '{"name":"app","main":"main.js","dependencies":{"frail":"1.0.0"}}',
      'main.js': "import App from './App.vue'; mount(App)",
      'App.vue':
        "<template><p>{{ x }}</p></template>\n<script setup>\nimport { weak } from 'frail'\nconst x = weak('a')\n</script>",
    },
    null,
  ],
  'a component of Svelte': [
    {
      'package.json': '{"name":"app","main":"main.js","dependencies":{"frail":"1.0.0"}}',
      'main.js': "import App from './App.svelte'; new App()",
      'App.svelte': "<script>\nimport { weak } from 'frail'\nconst x = weak('a')\n</script>\n<p>{x}</p>",
    },
    null,
  ],
  'a script in a page': [
    {
      'package.json': '{"name":"app","dependencies":{"frail":"1.0.0"}}',
      'index.html': "<script type=module>import { weak } from 'frail'; weak('a')</script>",
    },
    null,
  ],
  'a setter': [
    { 'index.js': "import { weak } from 'frail'; const o = { set x(v) { weak(v) } }; o.x = 'a'" },
    {
      'index.js':
        "import { weak, fine } from 'frail'; function no() { return { set x(v) { weak(v) } } } fine('a')",
    },
  ],
  'a setter of a class': [
    { 'index.js': "import { weak } from 'frail'; class A { set x(v) { weak(v) } } new A().x = 'a'" },
    { 'index.js': "import { weak, fine } from 'frail'; class A { set x(v) { weak(v) } } fine('a')" },
  ],
  'a set': [
    { 'index.js': "const { weak } = require('frail'); for (const f of new Set([weak])) f('a')" },
    { 'index.js': "const { fine } = require('frail'); for (const f of new Set([fine])) f('a')" },
  ],
  'data in a page': [
    {
      'package.json': '{"name":"app","dependencies":{"frail":"1.0.0"}}',
      'index.html': "<script>import('frail').then(f => f.weak('a'))</script>",
    },
    {
      'package.json': '{"name":"app","dependencies":{"frail":"1.0.0"}}',
      'index.html': '<script type="application/json">{"frail":"weak"}</script><script>1</script>',
    },
  ],
}

for (const [kind, [reached, notReached, links]] of Object.entries(kinds)) {
  test(`reached, or not known: ${kind}`, async () =>
    assert.notEqual(await ask(reached, links), 'not-reachable'))
  if (notReached !== null)
    test(`not reached: ${kind}`, async () => assert.equal(await ask(notReached, links), 'not-reachable'))
}
