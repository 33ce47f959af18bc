// SPDX-License-Identifier: Apache-2.0
/** Everything that can happen to a package, as data that fast-check can make up, shrink and print. */
import {
  type DistTag,
  type EventType,
  isProblem,
  type PackageName,
  type Status,
  type Version,
} from '@holdfast/core'
import fc from 'fast-check'
import { type Advisory, amend, parseRules, type Rule } from '../../src/catalog/index.ts'
import {
  addAdvisories,
  applyPolicy,
  askWaiver,
  changeAccess,
  contain,
  decideWaiver,
  deprecate,
  listMeasures,
  type Measure,
  parseDraft,
  removeTag,
  setTag,
  takeMeasure,
  undoMeasure,
  unpublishMissing,
  unpublishPackage,
} from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import type { Ports } from '../../src/main.ts'
import { type Live, publishDocument, put } from '../live.ts'

const versions = ['1.0.0', '1.0.1', '1.1.0', '2.0.0-beta.1'] as Version[]
const tags = ['latest', 'next', 'old'] as DistTag[]
const measures: readonly Measure[] = ['quarantine', 'release', 'yank', 'unyank']
// States that no flow leads to yet are set as their flow will.
const states: readonly Status[] = ['pending', 'staged', 'cooling', 'held', 'blocked', 'live']

const queries = ['package', 'version', 'hash', 'indicator'] as const
type Query = (typeof queries)[number]

export type Change =
  | { readonly kind: 'publish'; readonly version: Version; readonly tag: DistTag }
  | { readonly kind: 'deprecate'; readonly version: Version; readonly message: string }
  | { readonly kind: 'measure'; readonly version: Version; readonly measure: Measure }
  | { readonly kind: 'status'; readonly version: Version; readonly status: Status }
  | { readonly kind: 'contain'; readonly by: Query; readonly version: Version }
  | { readonly kind: 'freeze' }
  | { readonly kind: 'undo'; readonly which: 'oldest' | 'newest' }
  | { readonly kind: 'tag'; readonly version: Version; readonly tag: DistTag }
  | { readonly kind: 'untag'; readonly tag: DistTag }
  | { readonly kind: 'access'; readonly access: 'public' | 'restricted' }
  | { readonly kind: 'unpublish'; readonly version: Version }
  | { readonly kind: 'unpublish-all' }
  | { readonly kind: 'policy'; readonly rules: readonly Rule[] }
  | { readonly kind: 'waiver'; readonly version: Version; readonly act: 'grant' | 'refuse' | 'end' }
  | { readonly kind: 'malware'; readonly version: Version; readonly isWithdrawn: boolean }

// The first is there from the beginning: what happens to a lone version is worth as much as the rest.
const version = fc.constantFrom('1.0.0' as Version, ...versions)
const tag = fc.constantFrom(...tags)

/** Rules that say something of packages that are a minute old and hosted here. */
export const kinds = [
  { kind: 'deny', packages: ['*'], versions: '>=1.0.1' },
  { kind: 'allow-only', packages: ['nothing'] },
  { kind: 'release-age', days: 1 },
  { kind: 'new-name', days: 1 },
  { kind: 'deprecated' },
  { kind: 'malware' },
] as const

const anyRules = fc
  .subarray([...kinds])
  .chain(some =>
    fc.tuple(
      ...some.map(rule =>
        fc.record({
          mode: fc.constantFrom('monitor', 'enforce', 'enforce'),
          action: fc.constantFrom('warn', 'hold', 'block', 'block'),
          origins: fc.constant(['hosted']),
          ...Object.fromEntries(Object.entries(rule).map(([key, value]) => [key, fc.constant(value)])),
        }),
      ),
    ),
  )
  .map(parseRules)

export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish' as const), version, tag }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deprecate' as const),
      version,
      message: fc.constantFrom('', 'use another', '"quoted" <b> ü'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('measure' as const),
      version,
      measure: fc.constantFrom(...measures),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      version,
      status: fc.constantFrom(...states),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('contain' as const), by: fc.constantFrom(...queries), version }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'freeze' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('undo' as const),
      which: fc.constantFrom('oldest' as const, 'newest' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tag' as const), version, tag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('untag' as const), tag }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      access: fc.constantFrom('public' as const, 'restricted' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unpublish' as const), version }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unpublish-all' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('policy' as const), rules: anyRules }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('waiver' as const),
      version,
      act: fc.constantFrom('grant' as const, 'grant' as const, 'refuse' as const, 'end' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('malware' as const), version, isWithdrawn: fc.boolean() }),
  },
)

/** Makes the change through `ports`, which may be another process's; what does not apply is refused and changes nothing. */
export async function make(live: Live, ports: Ports, name: PackageName, change: Change): Promise<void> {
  try {
    await apply(live, ports, name, change)
  } catch (error) {
    if (!isProblem(error)) throw error
  }
}

async function apply(live: Live, ports: Ports, name: PackageName, change: Change): Promise<unknown> {
  switch (change.kind) {
    case 'publish':
      return put(live, name, publishDocument(name, change.version, { tag: change.tag })).then(answer =>
        answer.arrayBuffer(),
      )
    case 'deprecate':
      return deprecate(ports, operator, name, undefined, new Map([[change.version, change.message]]))
    case 'measure': {
      const reason = { code: 'security', words: 'because of a test' } as const
      return takeMeasure(ports, operator, change.measure, { name, version: change.version }, reason)
    }
    case 'status':
      return setStatus(ports, name, change.version, change.status)
    case 'contain':
      return quarantine(ports, name, change.by, change.version)
    case 'freeze':
      return contain(
        ports,
        operator,
        parseDraft({ kind: 'freeze', subject: `package:${name}`, reason: 'security' }),
      )
    case 'undo':
      return undoOne(ports, name, change.which)
    case 'tag':
      return setTag(ports, operator, name, change.tag, change.version)
    case 'untag':
      return removeTag(ports, operator, name, change.tag)
    case 'access':
      return changeAccess(ports, operator, name, { access: change.access })
    case 'unpublish':
      return unpublishMissing(ports, operator, name, undefined, {
        versions: new Set(versions.filter(each => each !== change.version)),
        tags: new Map(),
      })
    case 'unpublish-all':
      return unpublishPackage(ports, operator, name, undefined)
    case 'policy':
      // Another process does not know what this one served in the last second.
      await live.ports.downloads.flush()
      return applyPolicy(ports, operator, change.rules)
    case 'waiver':
      return decide(ports, name, change.version, change.act)
    case 'malware':
      return addAdvisories(ports, operator, [malware(name, change.version, change.isWithdrawn)], [])
  }
}

/** Closes what a query names: of this package, so that others are left alone. */
async function quarantine(ports: Ports, name: PackageName, by: Query, ver: Version) {
  const digest = (await ports.store.catalog.findVersion(name, ver))?.digest
  const query = {
    package: {},
    version: { version: ver },
    hash: { hash: digest },
    indicator: { indicator: ver },
  }
  const draft = { kind: 'quarantine', package: name, reason: 'security', ...query[by] }
  return contain(ports, operator, parseDraft(draft))
}

/** Of measures that overlap each remembers what the other closed. */
async function undoOne(ports: Ports, name: PackageName, which: 'oldest' | 'newest') {
  const holding = (await listMeasures(ports, operator)).filter(
    each => each.undoneAt === null && each.subject.includes(name),
  )
  const found = holding.at(which === 'newest' ? 0 : -1)
  if (found !== undefined) await undoMeasure(ports, operator, found.id)
}

async function decide(ports: Ports, name: PackageName, ver: Version, act: 'grant' | 'refuse' | 'end') {
  if (act === 'end') {
    const granted = (await ports.store.policy.listWaivers(name)).filter(each => each.state === 'granted')
    for (const { id } of granted) await decideWaiver(ports, operator, id, { kind: 'end', words: '' })
    return
  }
  const { id } = await askWaiver(ports, operator, { name, version: ver }, 'because of a test')
  const verdict =
    act === 'grant' ? ({ kind: 'grant', days: 1, words: '' } as const) : { kind: act, words: '' }
  await decideWaiver(ports, operator, id, verdict)
}

function malware(name: PackageName, range: Version, isWithdrawn: boolean): Advisory {
  return {
    id: `MAL-${Buffer.from(range).toString('hex')}`,
    package: name,
    range,
    fixed: [],
    kind: 'malware',
    severity: 'critical',
    aliases: [],
    cvss: null,
    cwe: [],
    title: 'because of a test',
    url: '',
    publishedAt: 1,
    modifiedAt: 1,
    withdrawnAt: isWithdrawn ? 1 : null,
  }
}

const leadsTo: Readonly<Partial<Record<Status, EventType>>> = {
  staged: 'stage',
  live: 'release',
  yanked: 'yank',
  quarantined: 'quarantine',
}

/** Sets a status as the flow that leads there does, or will. */
export async function setStatus(
  ports: Ports,
  name: PackageName,
  ver: Version,
  status: Status,
): Promise<void> {
  const found = await ports.store.catalog.findVersion(name, ver)
  if (found === undefined || found.status === 'removed') return
  const grant = await authorize(ports, operator, 'version:contain', '')
  const reason = status === 'live' ? '' : 'because of a test'
  const fields = status === 'staged' ? { op: 'add' } : { reason: 'other' }
  const event = { type: leadsTo[status] ?? 'hold', pkg: name, ver, fields } as const
  await ports.store.commit(grant, event, tx =>
    amend(tx.catalog, name, ports.clock(), () =>
      tx.catalog.setStatus(name, ver, status, reason, ports.clock()),
    ),
  )
}
