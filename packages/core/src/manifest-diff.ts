// SPDX-License-Identifier: Apache-2.0
/** What two manifests of a package say differently, as findings for people who decide on the newer one. */

import { revealHidden } from './hidden.ts'

/** What may be found between two versions of a package. */
export type FindingKind =
  | 'dependency-added'
  | 'dependency-changed'
  | 'dependency-removed'
  | 'script-added'
  | 'script-changed'
  | 'script-removed'
  | 'command-changed'
  | 'entry-changed'
  | 'field-changed'
  | 'runs-at-install'
  | 'grown'
  | 'hidden-characters'
  | 'binary-added'
  | 'binary-changed'
  | 'large-changed'
  | 'unreadable-lines'
  | 'made-executable'

/** One thing to look at. */
export interface DiffFinding {
  readonly kind: FindingKind
  readonly weight: 'grave' | 'notable' | 'minor'
  /** The dependency, script, field or file; empty where it is about the whole. */
  readonly subject: string
  readonly before?: string
  readonly after?: string
}

type Manifest = Readonly<Record<string, unknown>>
type Texts = ReadonlyMap<string, string>

/** By field, the word behind the range. */
const dependencyFields = {
  dependencies: '',
  optionalDependencies: ' (optional)',
  peerDependencies: ' (peer)',
} as const
/** What is no range of a registry: an address, a repository, a folder, another name. */
const elsewhere = /[:/]/
const installScripts = new Set(['preinstall', 'install', 'postinstall'])
/** npm runs these too where a package is taken from its repository. */
const otherScripts = new Set(['prepare', 'prepack', 'prepublish', 'uninstall', 'postuninstall'])
const entryFields = ['main', 'module', 'browser', 'exports', 'imports', 'type']
const otherFields = [
  'license',
  'repository',
  'homepage',
  'engines',
  'os',
  'cpu',
  'gypfile',
  'bundleDependencies',
  'bundledDependencies',
]
const maxTextLength = 300

/** What differs and matters: what an install brings in and runs, what a program loads, and what people are told. */
export function compareManifests(before: Manifest, after: Manifest): readonly DiffFinding[] {
  const [oldScripts, newScripts] = [textsOf(before['scripts']), textsOf(after['scripts'])]
  return [
    ...compareTexts('dependency', dependenciesOf(before), dependenciesOf(after), weighDependency),
    ...compareTexts('script', only(oldScripts), only(newScripts), weighScript),
    ...compareFields('command-changed', ['bin', 'directories'], before, after, 'notable'),
    ...compareFields('entry-changed', entryFields, before, after, 'minor'),
    ...compareFields('field-changed', otherFields, before, after, 'minor'),
  ]
}

/** A finding in one sentence, with everything in it that nobody would see written out. */
export function describeFinding(finding: DiffFinding): string {
  return revealHidden(describe(finding))
}

function describe({ kind, subject, before = '', after = '' }: DiffFinding): string {
  switch (kind) {
    case 'dependency-added':
      return `New dependency ${subject} ${after}`
    case 'dependency-changed':
      return `Dependency ${subject}: ${before} became ${after}`
    case 'dependency-removed':
      return `Dependency ${subject} ${before} is gone`
    case 'script-added':
      return `New script ${subject}: ${after}`
    case 'script-changed':
      return `Script ${subject}: ${before} became ${after}`
    case 'script-removed':
      return `Script ${subject} is gone`
    case 'command-changed':
    case 'entry-changed':
    case 'field-changed':
      return `${subject} in package.json: ${before || 'nothing'} became ${after || 'nothing'}`
    case 'runs-at-install':
      return 'Runs code when it is installed, which the version before did not'
    case 'grown':
      return `Grew from ${before} to ${after} bytes`
    case 'hidden-characters':
      return `${subject} holds characters that deceive the eye`
    case 'binary-added':
      return `${subject} is new and cannot be read as text`
    case 'binary-changed':
      return `${subject} changed and cannot be read as text`
    case 'large-changed':
      return `${subject} changed and is too large to be shown`
    case 'unreadable-lines':
      return `${subject} has lines so long that nobody reads them`
    case 'made-executable':
      return `${subject} is executable now`
  }
}

function compareTexts(
  what: 'dependency' | 'script',
  before: Texts,
  after: Texts,
  weigh: (name: string, old: string | undefined, now: string) => DiffFinding['weight'],
): DiffFinding[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.flatMap((subject): DiffFinding[] => {
    const [old, now] = [before.get(subject), after.get(subject)]
    if (old === now) return []
    if (now === undefined)
      return [{ kind: `${what}-removed`, weight: 'minor', subject, before: cut(old ?? '') }]
    if (old === undefined)
      return [{ kind: `${what}-added`, weight: weigh(subject, old, now), subject, after: cut(now) }]
    const weight = weigh(subject, old, now)
    return [{ kind: `${what}-changed`, weight, subject, before: cut(old), after: cut(now) }]
  })
}

function compareFields(
  kind: 'command-changed' | 'entry-changed' | 'field-changed',
  fields: readonly string[],
  before: Manifest,
  after: Manifest,
  weight: DiffFinding['weight'],
): DiffFinding[] {
  const isFirst = Object.keys(before).length === 0
  return fields.flatMap(subject => {
    const [old, now] = [written(before[subject]), written(after[subject])]
    return isFirst || old === now ? [] : [{ kind, weight, subject, before: cut(old), after: cut(now) }]
  })
}

function weighScript(name: string): DiffFinding['weight'] {
  return installScripts.has(name) ? 'grave' : 'minor'
}

/** A new one brings in code, and so does one that comes from elsewhere than before. */
function weighDependency(_: string, old: string | undefined, now: string): DiffFinding['weight'] {
  return old === undefined || (elsewhere.test(now) && !elsewhere.test(old)) ? 'notable' : 'minor'
}

/** What each name is wanted as, in all fields: one that stands in two of them may differ in either. */
function dependenciesOf(manifest: Manifest): Texts {
  const wanted = new Map<string, string>()
  for (const [field, word] of Object.entries(dependencyFields))
    for (const [name, range] of textsOf(manifest[field]))
      wanted.set(name, [wanted.get(name), `${range}${word}`].filter(each => each !== undefined).join(', '))
  return wanted
}

function only(scripts: Texts): Texts {
  return new Map([...scripts].filter(([name]) => installScripts.has(name) || otherScripts.has(name)))
}

function textsOf(value: unknown): Texts {
  if (typeof value !== 'object' || value === null) return new Map()
  return new Map(Object.entries(value).map(([name, each]) => [name, written(each)]))
}

function written(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function cut(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text
}
