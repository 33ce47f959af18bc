// SPDX-License-Identifier: Apache-2.0
/** Small applications that call what an advisory is about, or do not: how many of each are told right. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { analyseReachability, type Hit } from '../packages/cli/src/reachability/index.ts'
import { loadSyntax } from '../packages/server/src/vulnerability/index.ts'
import type { Figure, Part } from '../scripts/evaluate.ts'

const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache/evaluate/reachability')
const data = join(root, 'packages/cli/src/reachability/data')
const maxSeconds = 40

/** Figures of reachability. */
export const part: Part = { name: 'reachability', run }

interface Subject {
  readonly advisory: string
  readonly package: string
  readonly version: string
  /** An export that the advisory is about, and exports that it is not about. */
  readonly called: string
  readonly others: readonly string[]
  readonly modules: string
}

interface Case {
  readonly subject: Subject
  readonly style: string
  readonly text: string
  readonly own?: string
  readonly isCalled: boolean
}

async function run(): Promise<readonly Figure[]> {
  const { parseSource } = await loadSyntax()
  const subjects = await readSubjects()
  const began = performance.now()
  let [right, called, quiet, silent] = [0, 0, 0, 0]
  for (const each of subjects.flatMap(casesOf)) {
    const folder = await writeCase(each)
    const hit: Hit = { key: 'it', ids: [each.subject.advisory], package: each.subject.package, versions: [] }
    const verdict = (await analyseReachability({ folder, maxSeconds }, [hit], parseSource)).get('it')?.verdict
    const isTold = verdict !== 'not-reachable'
    if (each.isCalled) called++
    else silent++
    if (each.isCalled && isTold) right++
    if (!each.isCalled && !isTold) quiet++
    if (isTold !== each.isCalled)
      process.stderr.write(`${each.subject.package} ${each.subject.called} ${each.style}: ${verdict}\n`)
  }
  const eachMs = Math.round((performance.now() - began) / Math.max(called + silent, 1))
  return [
    { row: 'packages', value: String(subjects.length), wanted: '≥ 1', isMet: subjects.length > 0 },
    share('calls of what is vulnerable that are found', right, called, 95),
    share('false alarms that are cut (an audit tells all of them)', quiet, silent, 60),
    { row: 'an application', value: `${eachMs} ms`, wanted: '', isMet: true },
  ]
}

function share(row: string, part: number, all: number, least: number): Figure {
  const percent = (100 * part) / Math.max(all, 1)
  return {
    row,
    value: `${part}/${all} (${percent.toFixed(1)} %)`,
    wanted: `≥ ${least} %`,
    isMet: percent >= least,
  }
}

// Advisory, package, a version that has the flaw, an export that is not about it: chosen so that the others do not call it.
async function readSubjects(): Promise<readonly Subject[]> {
  const wanted = (
    await readFile(join(root, 'packages/server/test/fixture/evaluation/reachability.tsv'), 'utf8')
  )
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split('\t'))
  const lines = (await readFile(join(data, 'vulnerable-symbols.tsv'), 'utf8'))
    .split('\n')
    .map(line => line.split('\t'))
  const found: Subject[] = []
  for (const [advisory = '', name = '', version = '', others = ''] of wanted) {
    const names = lines.find(line => line[0] === advisory && line[1] === name)?.[2]?.split(',') ?? []
    const modules = await install(name, version).catch(() => undefined)
    if (modules === undefined) continue
    for (const called of names.filter(each => !each.includes('.')).slice(0, 2))
      found.push({ advisory, package: name, version, called, others: others.split(','), modules })
  }
  return found
}

async function install(name: string, version: string): Promise<string> {
  const folder = join(cache, `${name.replace('/', '+')}@${version}`)
  const modules = join(folder, 'node_modules')
  if ((await stat(join(modules, name)).catch(() => undefined)) !== undefined) return modules
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'case', version: '1.0.0' }))
  const npm = join(root, 'node_modules/npm/bin/npm-cli.js')
  const args = [npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`]
  await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 120_000 })
  return modules
}

let written = 0

async function writeCase({ subject, text, own }: Case): Promise<string> {
  const folder = join(cache, 'case', String(written++))
  // What an earlier run left there may be about another package.
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await symlink(subject.modules, join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"name":"case","version":"1.0.0","main":"index.js"}')
  await writeFile(join(folder, 'index.js'), text)
  await writeFile(join(folder, 'own.js'), own ?? '')
  return folder
}

function casesOf(subject: Subject): readonly Case[] {
  const { package: name, called, others } = subject
  const isDefault = called === 'default'
  const required = `require('${name}')`
  const callee = isDefault ? 'm' : `m.${called}`
  const local = isDefault ? 'const f = m' : `const { ${called}: f } = m`
  const yes: readonly (readonly [string, string, string?])[] = [
    ['require', `const m = ${required}; ${callee}(process.argv[2])`],
    ['taken out', `const m = ${required}; ${local}; f(process.argv[2])`],
    [
      'import',
      isDefault ? `import m from '${name}'; m('a')` : `import { ${called} as f } from '${name}'; f('a')`,
    ],
    ['default import', `import m from '${name}'; ${callee}('a')`],
    [
      'namespace',
      isDefault
        ? `import * as n from '${name}'; n.default('a')`
        : `import * as m from '${name}'; ${callee}('a')`,
    ],
    ['alias', `const m = ${required}; const g = ${callee}; const h = g; h('a')`],
    [
      'own module',
      `const own = require('./own'); own.go('a')`,
      `const m = ${required}; exports.go = ${callee}`,
    ],
    [
      're-export',
      `const { inner } = require('./own'); const m = inner; ${callee}('a')`,
      `module.exports = { inner: ${required} }`,
    ],
    ['callback', `const m = ${required}; ['a'].forEach(x => ${callee}(x))`],
    ['passed', `const m = ${required}; ['a'].map(${callee})`],
    ['class', `const m = ${required}; class A { run(x) { return ${callee}(x) } } new A().run('a')`],
    [
      'dynamic',
      `async function go() { const n = await import('${name}'); const m = n.default; ${callee}('a') } go()`,
    ],
  ]
  const plain = others.filter(each => each !== '')
  const no: readonly (readonly [string, string, string?])[] = [
    ...plain.flatMap(other => [
      [`only ${other}`, `const m = ${required}; m.${other}('a')`] as const,
      [`only ${other}, named`, `import { ${other} as f } from '${name}'; f('a')`] as const,
      [`only ${other}, default`, `import m from '${name}'; export const x = m.${other}('a')`] as const,
    ]),
    ['not called', `const m = ${required}; function unused(x) { return ${callee}(x) }`],
    ['module not used', `require('fs').readFileSync('a')`, `const m = ${required}; ${callee}('a')`],
    [
      'method not called',
      `const own = require('./own'); own.fine('a')`,
      `const m = ${required}; exports.go = x => ${callee}(x); exports.fine = x => x`,
    ],
    ['only loaded', `require('${name}')`],
  ]
  const toCase =
    (isCalled: boolean) =>
    ([style, text, own]: readonly [string, string, string?]): Case => ({
      subject,
      style,
      text,
      isCalled,
      ...(own === undefined ? {} : { own }),
    })
  return [...yes.map(toCase(true)), ...no.map(toCase(false))]
}
