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
const data = 'packages/cli/src/reachability/data'
const chosen = 'packages/server/test/fixture/evaluation/reachability.tsv'
const maxSeconds = 40

/** Figures of reachability. */
export const part: Part = { name: 'reachability', run }

interface Subject {
  readonly advisory: string
  readonly package: string
  readonly version: string
  /** What is loaded: the package, or one of its files. */
  readonly specifier: string
  /** The way from there to the export that the advisory is about; empty for the module itself. */
  readonly called: readonly string[]
  readonly isConstructed: boolean
  /** Exports that the advisory is not about. */
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
  const figures: Figure[] = []
  for (const [what, subjects] of [
    ['by symbols', await readSymbolSubjects()],
    ['by places', await readSinkSubjects()],
  ] as const)
    figures.push(...(await measure(what, subjects, parseSource)))
  return figures
}

async function measure(
  what: string,
  subjects: readonly Subject[],
  parseSource: Awaited<ReturnType<typeof loadSyntax>>['parseSource'],
): Promise<readonly Figure[]> {
  const began = performance.now()
  let [right, called, quiet, silent] = [0, 0, 0, 0]
  for (const each of subjects.flatMap(casesOf)) {
    const folder = await writeCase(each)
    const hit: Hit = { key: 'it', ids: [each.subject.advisory], package: each.subject.package }
    const verdict = (await analyseReachability({ folder, maxSeconds }, [hit], parseSource)).get('it')?.verdict
    const isTold = verdict !== 'not-reachable'
    if (each.isCalled) called++
    else silent++
    if (each.isCalled && isTold) right++
    if (!each.isCalled && !isTold) quiet++
    if (isTold !== each.isCalled)
      process.stderr.write(
        `${each.subject.package} ${each.subject.version} ${each.subject.called.join('.')} ${each.style}: ${verdict}\n`,
      )
  }
  const eachMs = Math.round((performance.now() - began) / Math.max(called + silent, 1))
  const told = right + silent - quiet
  return [
    { row: `${what}: packages`, value: String(subjects.length), wanted: '≥ 1', isMet: subjects.length > 0 },
    share(`${what}: calls of what is vulnerable that are found (recall)`, right, called, 95),
    share(`${what}: false alarms that are cut (an audit tells all of them)`, quiet, silent, 60),
    share(`${what}: of what is told, what is called (precision)`, right, told, 0),
    { row: `${what}: an application`, value: `${eachMs} ms`, wanted: '', isMet: true },
  ]
}

function share(row: string, part: number, all: number, least: number): Figure {
  const percent = (100 * part) / Math.max(all, 1)
  return {
    row,
    value: `${part}/${all} (${percent.toFixed(1)} %)`,
    wanted: least === 0 ? '' : `≥ ${least} %`,
    isMet: percent >= least,
  }
}

async function readLines(file: string): Promise<readonly (readonly string[])[]> {
  const lines = (await readFile(join(root, file), 'utf8')).split('\n')
  return lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split('\t'))
}

// Advisory, package, a version that has the flaw, an export that is not about it: chosen so that the others do not call it.
async function readSymbolSubjects(): Promise<readonly Subject[]> {
  const lines = await readLines(`${data}/vulnerable-symbols.tsv`)
  const found: Subject[] = []
  for (const [advisory = '', name = '', version = '', others = ''] of await readLines(chosen)) {
    const names = lines.find(line => line[0] === advisory && line[1] === name)?.[2]?.split(',') ?? []
    const modules = await install(name, version).catch(() => undefined)
    if (modules === undefined) continue
    for (const called of names.filter(each => !each.includes('.')).slice(0, 2))
      found.push({
        advisory,
        package: name,
        version,
        specifier: name,
        called: called === 'default' ? [] : [called],
        isConstructed: false,
        others: others.split(',').filter(each => each !== ''),
        modules,
      })
  }
  return found
}

/** One in so many of the places where a flaw is, in the order of the list: each is a package to fetch. */
const sampled = 5

// By the export that a published proof enters by, where that is known and the package can still be had.
async function readSinkSubjects(): Promise<readonly Subject[]> {
  const lines = (await readLines(`${data}/vulnerable-sinks.tsv`)).filter(line => line[4] !== '-')
  const found: Subject[] = []
  for (const [name = '', version = '', , , entry = '', ghsa = '', cve = ''] of lines.filter(
    (_, at) => at % sampled === 0,
  )) {
    const modules = await install(name, version).catch(() => undefined)
    if (modules === undefined) continue
    const [path = '', names = ''] = entry.split('#')
    const called = names.split('.').filter(each => each !== 'default' && each !== 'new')
    found.push({
      advisory: ghsa.startsWith('GHSA-') ? ghsa : cve,
      package: name,
      version,
      specifier: `${name}${path}`,
      called,
      isConstructed: names === 'new' || names.endsWith('.new'),
      others: [],
      modules,
    })
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
  const { specifier, called, others, isConstructed } = subject
  const isDefault = called.length === 0
  const required = `require('${specifier}')`
  const callee = ['m', ...called].join('.')
  const [first = '', ...rest] = called
  const named = ['f', ...rest].join('.')
  const call = (what: string, given: string) => `${isConstructed ? 'new ' : ''}${what}(${given})`
  const local = isDefault ? 'const f = m' : `const { ${first}: f } = m`
  const yes: readonly (readonly [string, string, string?])[] = [
    ['require', `const m = ${required}; ${call(callee, 'process.argv[2]')}`],
    ['taken out', `const m = ${required}; ${local}; ${call(named, 'process.argv[2]')}`],
    [
      'import',
      isDefault
        ? `import m from '${specifier}'; ${call('m', "'a'")}`
        : `import { ${first} as f } from '${specifier}'; ${call(named, "'a'")}`,
    ],
    ['default import', `import m from '${specifier}'; ${call(callee, "'a'")}`],
    [
      'namespace',
      isDefault
        ? `import * as n from '${specifier}'; ${call('n.default', "'a'")}`
        : `import * as m from '${specifier}'; ${call(callee, "'a'")}`,
    ],
    ['alias', `const m = ${required}; const g = ${callee}; const h = g; ${call('h', "'a'")}`],
    [
      'own module',
      `const own = require('./own'); ${call('own.go', "'a'")}`,
      `const m = ${required}; exports.go = ${callee}`,
    ],
    [
      're-export',
      `const { inner } = require('./own'); const m = inner; ${call(callee, "'a'")}`,
      `module.exports = { inner: ${required} }`,
    ],
    ['callback', `const m = ${required}; ['a'].forEach(x => ${call(callee, 'x')})`],
    [
      'passed',
      isConstructed
        ? `const m = ${required}; ['a'].map(x => new ${callee}(x))`
        : `const m = ${required}; ['a'].map(${callee})`,
    ],
    ['class', `const m = ${required}; class A { run(x) { return ${call(callee, 'x')} } } new A().run('a')`],
    [
      'dynamic',
      `async function go() { const n = await import('${specifier}'); const m = n.default; ${call(callee, "'a'")} } go()`,
    ],
  ]
  const no: readonly (readonly [string, string, string?])[] = [
    ...others.flatMap(other => [
      [`only ${other}`, `const m = ${required}; m.${other}('a')`] as const,
      [`only ${other}, named`, `import { ${other} as f } from '${specifier}'; f('a')`] as const,
      [`only ${other}, default`, `import m from '${specifier}'; export const x = m.${other}('a')`] as const,
    ]),
    ['not called', `const m = ${required}; function unused(x) { return ${call(callee, 'x')} }`],
    ['module not used', `require('fs').readFileSync('a')`, `const m = ${required}; ${call(callee, "'a'")}`],
    [
      'method not called',
      `const own = require('./own'); own.fine('a')`,
      `const m = ${required}; exports.go = x => ${call(callee, 'x')}; exports.fine = x => x`,
    ],
    ['only loaded', `require('${specifier}')`],
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
