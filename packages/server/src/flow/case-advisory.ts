// SPDX-License-Identifier: Apache-2.0
/** What a case found is told to everybody: as an advisory here, and as files for those who keep such things elsewhere. */
import { formatIntegrity, type PackageName, problem, type Version } from '@holdfast/core'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { IncidentCase } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { readAdvisory } from './advisory-reading.ts'
import { listPackageAdvisories } from './advisory-view.ts'
import { adviseMalware, clearMalware } from './advisory-writing.ts'
import { readIncident } from './incident.ts'
import { hostOf } from './letter.ts'
import { provePresence } from './presence.ts'

const wordsLength = 2000

type Closed = ReadonlyMap<PackageName, readonly Version[]>

/**
 * Says that what a case quarantined is malware, in the one advisory of each package. Throws `not-found`, and `invalid-body` where
 * nothing of it is quarantined: what people may still install is not called malware.
 */
export async function adviseFromCase(ports: Ports, actor: Actor, id: string, words: string): Promise<void> {
  await tell(ports, actor, id, words, async (tx, closed, said) => {
    const ids: string[] = []
    for (const [name, versions] of closed)
      ids.push(await adviseMalware(tx, ports, { name, versions, words: said }))
    return `published as malware: ${ids.join(', ')}`
  })
}

/** Takes it back for all that the case is about: others hear that it counts no longer. Throws `not-found`. */
export async function withdrawFromCase(ports: Ports, actor: Actor, id: string, words: string): Promise<void> {
  await tell(ports, actor, id, words, async (tx, closed, said) => {
    for (const [name, versions] of closed) await clearMalware(tx, ports, { name, versions, words: said })
    return `advisory withdrawn for ${[...closed.keys()].join(', ')}`
  })
}

async function tell(
  ports: Ports,
  actor: Actor,
  id: string,
  words: string,
  say: (tx: Tx, closed: Closed, said: string) => Promise<string>,
): Promise<void> {
  const grant = await authorize(ports, actor, 'advisory:write', '')
  await provePresence(ports, grant)
  const said = words.replaceAll('\0', '').toWellFormed().trim().slice(0, wordsLength)
  if (said === '') throw problem('invalid-body', { why: 'it does not say what was found' })
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    const found = await tx.incident.findCase(id)
    if (found === undefined) throw problem('not-found')
    const closed = await listClosed(tx, found)
    if (closed.size === 0)
      throw problem('invalid-body', { why: 'no version that the case is about is quarantined' })
    const line = await say(tx, closed, said)
    await tx.incident.addCaseNote(id, { at: ports.clock(), by: actorId(actor), words: line })
    const { kind, severity, title } = found
    tx.record({ type: 'case', detail: { op: 'work', case: id, kind, severity, title, why: line } })
  })
}

/** What the case is about and nobody may install, by package. */
async function listClosed(tx: Tx, { subjects }: IncidentCase): Promise<Closed> {
  const closed = new Map<PackageName, Version[]>()
  for (const { package: name, version } of subjects) {
    if (version === '' || !(await isClosed(tx, name, version))) continue
    closed.set(name, [...(closed.get(name) ?? []), version])
  }
  return closed
}

async function isClosed(tx: Tx, name: PackageName, version: Version): Promise<boolean> {
  const hosted = await tx.catalog.findVersion(name, version)
  if (hosted !== undefined) return hosted.status === 'quarantined'
  const measures = await tx.upstream.listMeasures(name)
  return measures.some(each => each.version === version && each.status === 'quarantined')
}

/** Files by their paths, for the public collection of malicious packages and for a CVE. */
export type Submission = Readonly<Record<string, string>>

/**
 * What others need to take it over: each advisory as the public collection of malicious packages wants it, the CNA part of a CVE
 * record (5.1), and a report. No person is named. Throws `not-found` where the case has no advisory.
 */
export async function readSubmission(ports: Ports, actor: Actor, id: string): Promise<Submission> {
  const record = await readIncident(ports, actor, id)
  const names = [...new Set(record.subjects.map(each => each.package))]
  const files: Record<string, string> = {}
  const told: string[] = []
  for (const name of names) {
    const osv = await findOwnMalware(ports, actor, name)
    if (osv === undefined) continue
    const place = `MAL-0000-${ports.store.instance.id}-${id.slice(-8)}`
    files[`osv/malicious/npm/${name}/${place}.json`] = pretty(toCollection(ports, osv, place))
    files[`cve/${name}.json`] = pretty(toCna(ports, osv, name))
    told.push(await describe(ports, osv, name))
  }
  if (told.length === 0) throw problem('not-found')
  const indicators = record.indicators.map(each => `- ${each.kind}: \`${each.value.replaceAll('`', "'")}\``)
  const happened = record.timeline
    .filter(each => each.kind === 'event')
    .map(each => `- ${new Date(each.at).toISOString()} ${each.words}`)
  const report = [...told, '## Indicators', '', ...indicators, '', '## What happened', '', ...happened]
  return { ...files, 'REPORT.md': `${report.join('\n')}\n` }
}

interface OsvDocument {
  readonly id: string
  readonly summary?: string
  readonly details?: string
  readonly modified: string
  readonly published?: string
  readonly affected?: readonly { readonly versions?: readonly string[] }[]
}

async function findOwnMalware(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<OsvDocument | undefined> {
  const own = (await listPackageAdvisories(ports, actor, name)).find(
    each =>
      each.kind === 'malware' &&
      each.withdrawnAt === null &&
      each.id.startsWith(`x_${ports.store.instance.id}-`),
  )
  if (own === undefined) return undefined
  return JSON.parse((await readAdvisory(ports, actor, own.id)).text) as OsvDocument
}

function toCollection({ config }: Ports, osv: OsvDocument, id: string): object {
  const credits = [{ name: hostOf(config.publicUrl), type: 'REPORTER', contact: [config.publicUrl] }]
  return { ...osv, id, aliases: [], credits }
}

/** CVE record format 5.1, the container of whoever assigns; embedded malicious code is CWE-506. */
function toCna({ config }: Ports, osv: OsvDocument, name: PackageName): object {
  const versions = (osv.affected?.[0]?.versions ?? []).map(version => ({ version, status: 'affected' }))
  return {
    dataType: 'CVE_RECORD',
    dataVersion: '5.1',
    containers: {
      cna: {
        title: osv.summary ?? `Malware in ${name}`,
        datePublic: osv.published ?? osv.modified,
        descriptions: [{ lang: 'en', value: osv.details || (osv.summary ?? '') }],
        affected: [
          {
            vendor: name.startsWith('@') ? name.slice(1, name.indexOf('/')) : 'n/a',
            product: name,
            packageName: name,
            collectionURL: `${config.publicUrl}/npm/`,
            ...(versions.length === 0
              ? { defaultStatus: 'affected' }
              : { versions, defaultStatus: 'unaffected' }),
          },
        ],
        problemTypes: [
          {
            descriptions: [
              { lang: 'en', type: 'CWE', cweId: 'CWE-506', description: 'Embedded malicious code' },
            ],
          },
        ],
        references: [{ url: `${config.publicUrl}/advisories/${osv.id}` }],
      },
    },
  }
}

async function describe(ports: Ports, osv: OsvDocument, name: PackageName): Promise<string> {
  const lines = [`# Malware in ${name}`, '', osv.details ?? '', '']
  for (const version of osv.affected?.[0]?.versions ?? []) {
    const hosted = await ports.store.catalog.findVersion(name, version as Version)
    const digest =
      hosted?.digest ?? (await ports.store.mirrors.findIngested(name, version as Version))?.digest
    lines.push(`- ${version}${digest === undefined ? '' : `: \`${formatIntegrity(digest)}\``}`)
  }
  return `${lines.join('\n')}\n`
}

function pretty(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}
