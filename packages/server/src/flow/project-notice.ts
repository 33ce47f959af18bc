// SPDX-License-Identifier: Apache-2.0
/** Owners of projects hear of what touches what they submitted: once of each thing, many things in one letter. */
import type { PackageName } from '@holdfast/core'
import type { Advisory, ProjectUse } from '../catalog/index.ts'
import { type Account, authorize } from '../identity/index.ts'
import { type StoredEvent, touchedBy } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addLetters, hostOf } from './letter.ts'
import { filterReadable, findHits } from './project-hit.ts'

const teller = { kind: 'system', id: 'exposure' } as const
const usesRead = 20_000
const linesShown = 50
/** What happened so long ago is on the page; as news it would mislead. */
const staleMs = 3 * 24 * 3600_000
const orgRolesTold: readonly string[] = ['owner', 'admin']

/** One thing that an owner is to hear of. */
interface News {
  readonly name: PackageName
  readonly use: ProjectUse
  /** By which it is known again; the first for the table, the others are the same thing under other names. */
  readonly about: readonly string[]
  readonly words: string
}

/** Writes to the owners of projects that use what these events are about. Safe to run again. */
export async function tellProjects(ports: Ports, events: readonly StoredEvent[]): Promise<void> {
  const fresh = events.filter(each => each.at > ports.clock() - staleMs)
  const news = [...(await readAdvised(ports, fresh)), ...(await readContained(ports, fresh))]
  for (const [owner, own] of Map.groupBy(news, each => each.use.lock.owner)) await tell(ports, owner, own)
}

async function readAdvised({ store }: Ports, events: readonly StoredEvent[]): Promise<News[]> {
  const advised = events.filter(each => each.type === 'advisory')
  if (advised.length === 0) return []
  const names = touchedBy(advised)
  // Too many to name: what is used is looked at as a whole.
  if (names === 'all') {
    const rows = await store.projects.listRisks(undefined, usesRead)
    return [...Map.groupBy(rows, each => each.use.package)].flatMap(([name, of]) =>
      toNews(
        name,
        of.map(each => each.advisory),
        of.map(each => each.use),
      ),
    )
  }
  const uses = await store.projects.listUses([...names], usesRead)
  const used = Map.groupBy(uses, each => each.package)
  const told = Map.groupBy(await store.policy.listAdvisoriesOf([...used.keys()]), each => each.package)
  return [...used].flatMap(([name, of]) => toNews(name, told.get(name) ?? [], of))
}

function toNews(name: PackageName, told: readonly Advisory[], uses: readonly ProjectUse[]): News[] {
  return findHits(told, uses).flatMap(({ advisory, uses: hit }) =>
    hit.map(use => ({
      name,
      use,
      about: [advisory.id, ...advisory.aliases].map(id => `advisory ${id}`),
      words: `${advisory.kind === 'malware' ? 'malware' : advisory.severity}: ${advisory.id}, ${advisory.title}`,
    })),
  )
}

const containedWords = { quarantine: 'is quarantined', hold: 'is held' } as const

async function readContained({ store }: Ports, events: readonly StoredEvent[]): Promise<News[]> {
  const news: News[] = []
  for (const { type, pkg, ver } of events) {
    if ((type !== 'quarantine' && type !== 'hold') || pkg === null) continue
    const uses = await store.projects.listUses([pkg], usesRead)
    for (const use of uses.filter(each => ver === null || each.version === ver)) {
      const about = [`${type} ${pkg}@${use.version}`]
      const words = `${containedWords[type]} here: it is not given out while that lasts`
      news.push({ name: pkg, use, about, words })
    }
  }
  return news
}

async function tell(ports: Ports, owner: string, news: readonly News[]): Promise<void> {
  const people = await listPeople(ports, owner)
  const names = [...new Set(news.map(each => each.name))]
  const readable = new Map<string, ReadonlySet<PackageName>>()
  for (const { id } of people) readable.set(id, await filterReadable(ports, id, names))
  const grant = await authorize(ports, teller, 'project:tell', '')
  await ports.store.commit(grant, [], async tx => {
    const fresh = await keepNew(tx, owner, news, ports.clock())
    if (fresh.length === 0) return
    for (const { id, login, email } of people) {
      const own = fresh.filter(each => readable.get(id)?.has(each.name))
      if (own.length > 0) await write(tx, ports, { login, email }, own)
    }
    tx.record({ type: 'project', detail: { op: 'told', owner, count: fresh.length } })
  })
}

async function keepNew(tx: Tx, owner: string, news: readonly News[], at: number): Promise<readonly News[]> {
  const fresh: News[] = []
  for (const [, same] of Map.groupBy(news, each => `${each.use.lock.project} ${each.about[0]}`)) {
    const [first] = same
    if (first === undefined) continue
    const noted: boolean[] = []
    for (const about of first.about)
      noted.push(await tx.projects.noteTold(owner, first.use.lock.project, about, at))
    if (noted.every(Boolean)) fresh.push(first)
  }
  return fresh
}

/** Who hears of what concerns an owner of projects: the person, or owners and admins of the organisation. */
export async function listPeople({ store }: Ports, owner: string): Promise<readonly Account[]> {
  const members = owner.startsWith('@') ? await store.identity.listOrgMembers(owner.slice(1)) : []
  const told = members.filter(each => each.isActive && orgRolesTold.includes(each.role))
  const ids = owner.startsWith('@') ? told.map(each => each.accountId) : [owner]
  const found = await Promise.all(ids.map(id => store.identity.findAccount(id)))
  return found.filter(each => each !== undefined).filter(each => each.disabledAt === null)
}

async function write(
  tx: Tx,
  { config }: Pick<Ports, 'config'>,
  { login, email }: Pick<Account, 'login' | 'email'>,
  news: readonly News[],
): Promise<void> {
  const projects = [...new Set(news.map(each => each.use.lock.project))]
  const what = `Something was found in what ${projects.length === 1 ? projects[0] : `${projects.length} of your projects`} uses`
  const lines = news
    .slice(0, linesShown)
    .flatMap(({ name, use, words }) => [
      `${use.lock.project} (${use.lock.branch}): ${name}@${use.version} ${words}`,
      ...(use.path.length > 1 ? [`  by way of ${use.path.slice(0, -1).join(' > ')}`] : []),
    ])
  const more = news.length > linesShown ? ['', `and ${news.length - linesShown} more`] : []
  await addLetters(tx, [email], `${what} – ${hostOf(config.publicUrl)}`, [
    `Hello ${login},`,
    '',
    ...lines,
    ...more,
    '',
    'holdfast fix shows the smallest step that mends it.',
    `All of it, and the projects this is about: ${config.publicUrl}/exposure`,
  ])
}
