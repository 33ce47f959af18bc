// SPDX-License-Identifier: Apache-2.0
/** Holders of what a case is about hear of it, each once, and say when what was asked of them is done. */
import { problem } from '@holdfast/core'
import { type Actor, actorId, authorize, type Grant } from '../identity/index.ts'
import type { BlastLetter, IncidentCase } from '../incident/index.ts'
import type { Ports } from '../ports.ts'
import { listProjects } from './blast.ts'
import { addLetters, hostOf } from './letter.ts'
import { filterReadable } from './project-hit.ts'
import { listPeople } from './project-notice.ts'

const accountsAtOnce = 1000
const toldAtOnce = 100
const linesShown = 50

/** Writes to everybody with a mailbox who fetched it, by whatever token, who answers for a machine that did, or whose project contains it. Throws `not-found`. */
export async function tellHolders(
  ports: Ports,
  actor: Actor,
  id: string,
): Promise<{ readonly told: number }> {
  const grant = await authorize(ports, actor, 'incident:work', '')
  const found = await ports.store.incident.findCase(id)
  if (found === undefined) throw problem('not-found')
  let told = 0
  for await (const ids of listToTell(ports, found))
    for (let at = 0; at < ids.length; at += toldAtOnce)
      told += await tellSome(ports, grant, found, ids.slice(at, at + toldAtOnce))
  return { told }
}

async function tellSome(
  ports: Ports,
  grant: Grant,
  found: IncidentCase,
  ids: readonly string[],
): Promise<number> {
  const letters = await Promise.all(ids.map(each => prepareLetter(ports, found, each)))
  const subject = `You have what a case is about – ${hostOf(ports.config.publicUrl)}`
  return ports.store.commit(grant, [], async tx => {
    let sent = 0
    for (const letter of letters) {
      if (letter === undefined || !(await tx.blast.addLetter(found.id, letter.accountId, ports.clock())))
        continue
      sent += 1
      await addLetters(tx, [letter.to], subject, letter.lines)
    }
    if (sent > 0) tx.record({ type: 'blast', detail: { op: 'tell', case: found.id, count: sent } })
    return sent
  })
}

/** In portions: owners of projects that contain it, then whoever answers for those who fetched it. */
async function* listToTell(ports: Ports, found: IncidentCase): AsyncGenerator<readonly string[]> {
  const { projects } = await listProjects(ports, found)
  for (const owner of new Set(projects.map(each => each.lock.owner)))
    yield (await listPeople(ports, owner)).map(each => each.id)
  let accounts: readonly string[] = []
  do {
    accounts = await ports.store.blast.listHolderAccounts(found.id, accounts.at(-1) ?? '', accountsAtOnce)
    const answerable = await Promise.all(accounts.map(each => listAnswerable(ports, each)))
    yield [...new Set(answerable.flat())]
  } while (accounts.length === accountsAtOnce)
}

/** A person answers for themselves; for a robot or a job that reads its organisation, for a job that publishes the owners of its package. */
async function listAnswerable(ports: Ports, id: string): Promise<readonly string[]> {
  const { identity } = ports.store
  const org = ((await identity.findRobot(id)) ?? (await identity.findReader(id)))?.org
  if (org !== undefined) return (await listPeople(ports, `@${org}`)).map(each => each.id)
  const publisher = await identity.findPublisher(id)
  if (publisher === undefined) return [id]
  const holders = await identity.listHolders(publisher.package)
  return holders.filter(each => each.role === 'owner').map(each => each.accountId)
}

/** A private package is not named to those who may not read it any more. */
async function prepareLetter(ports: Ports, { id, subjects }: IncidentCase, accountId: string) {
  const account = await ports.store.identity.findAccount(accountId)
  if (account === undefined || account.disabledAt !== null || account.email === '') return undefined
  const some = subjects.slice(0, linesShown)
  const readable = await filterReadable(ports, accountId, [...new Set(some.map(each => each.package))])
  const named = some.filter(each => readable.has(each.package))
  if (named.length === 0) return undefined
  const lines = [
    `Hello ${account.login},`,
    '',
    'You, one of your tokens, machines or projects has fetched or contains what turned out to be a danger:',
    ...named.map(each => `  ${each.package}${each.version === '' ? ', all versions' : `@${each.version}`}`),
    ...(subjects.length > linesShown ? ['  and more'] : []),
    '',
    'What to do:',
    '  1. Remove it from your projects, lock files and caches: npm uninstall, then npm cache clean --force.',
    '  2. If it was installed on a machine, take all secrets of that machine for stolen and replace them:',
    '     tokens, keys, passwords; of CI those of the repository.',
    '  3. Look whether anything was published with your tokens that was not you.',
    '',
    `When that is done, say so: ${ports.config.publicUrl}/account/told#${id}`,
  ]
  return { to: account.email, lines, accountId }
}

/** What somebody was told, the newest first. */
export async function listOwnLetters(ports: Ports, actor: Actor): Promise<readonly BlastLetter[]> {
  await authorize(ports, actor, 'account:read', actorId(actor))
  return ports.store.blast.listLettersTo(actorId(actor))
}

/** Somebody says that what was asked of them is done. Throws `not-found` where nothing was. */
export async function setLetterDone(ports: Ports, actor: Actor, id: string): Promise<void> {
  const me = actorId(actor)
  const grant = await authorize(ports, actor, 'account:watch', me)
  const mine = await ports.store.blast.listLettersTo(me)
  if (!mine.some(each => each.incident === id)) throw problem('not-found')
  await ports.store.commit(grant, [], async tx => {
    if (await tx.blast.setLetterDone(id, me, ports.clock()))
      tx.record({ type: 'blast', detail: { op: 'done', case: id } })
  })
}
