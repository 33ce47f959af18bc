// SPDX-License-Identifier: Apache-2.0
/** Tokens that came to light: whoever holds a whole one may end it, and what is found in a package is ended at once. */
import { instanceOfToken, isDrillLogin, isToken, problem } from '@holdfast/core'
import { type Account, type Actor, authorize, hashSecret, type Token } from '../identity/index.ts'
import { type FoundToken, scanForTokens } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addLetters, drillSubjectStart, hostOf, tellStaff } from './letter.ts'
import { takeTurn } from './limit.ts'
import type { Upload } from './publish.ts'
import { tellOrgOwners } from './robot.ts'
import { endToken } from './token.ts'
import { tellOwners } from './trust.ts'

/** How a token came to light, and where; `where` may be empty. */
export interface Leak {
  readonly source: 'posted' | 'report' | 'secret-scanning' | 'package'
  readonly where: string
  /** Who reported it, where that is known: whoever reports falsely has had the whole token. */
  readonly by?: string
}

/** How many tokens one request may bring. */
export const maxLeaks = 100

const requestsAtOnce = 60
const shownFiles = 5

/**
 * Ends every token among these texts, for somebody without an account: having the whole secret is enough to give it up.
 * What it answers is the same for unknown ones, so that nothing is learned. Throws `rate-limited`.
 */
export async function revokePosted(ports: Ports, secrets: readonly string[], address: string): Promise<void> {
  await takeTurn(ports, 'token-revocation', address, requestsAtOnce)
  for (const secret of secrets.slice(0, maxLeaks))
    await revokeLeaked(ports, secret, { source: 'posted', where: '' })
}

/** Ends a token that leaked, in all processes within a second, and tells its owner; false when it is none of ours that works. */
export async function revokeLeaked(ports: Ports, secret: string, leak: Leak): Promise<boolean> {
  const now = ports.clock()
  const token = isToken(secret) ? await ports.store.identity.findToken(hashSecret(secret), now) : undefined
  if (token === undefined) return false
  const finder: Actor = { kind: 'system', id: `leak-${leak.source}` }
  const grant = await authorize(ports, finder, 'token:revoke', token.accountId)
  return ports.store.commit(grant, [], async tx => {
    const isEnded = await endToken(tx, token, 'leaked', now, { ...leak })
    if (isEnded) await tellHolder(tx, ports, token, leak)
    return isEnded
  })
}

/** The account; for a robot the owners of its organisation, for a CI job those of the package. */
async function tellHolder(tx: Tx, ports: Ports, token: Token, leak: Leak): Promise<void> {
  const id = token.accountId
  const what = `${found[leak.source]}${leak.where === '' ? '' : ` (${leak.where})`} and is revoked`
  if (token.holder === 'robot') {
    const robot = await tx.identity.findRobot(id)
    if (robot !== undefined)
      await tellOrgOwners(tx, ports, robot.org, `A token of the robot ${robot.name} of ${robot.org} ${what}`)
  } else if (token.holder === 'job') {
    const publisher = await tx.identity.findPublisher(id)
    if (publisher !== undefined) await tellOwners(tx, ports, publisher, `A token of a CI job ${what}`)
  } else {
    const owner = await tx.identity.findAccount(id)
    // Nobody reads mail of the account of a drill: those who respond get what its owner would.
    if (owner !== undefined && isDrillLogin(owner.login)) {
      const subject = drillSubjectStart + subjectOf(ports, token)
      await tellStaff(tx, ports, subject, linesOf(ports, owner, token, leak))
    } else if (owner !== undefined)
      await addLetters(tx, [owner.email], subjectOf(ports, token), linesOf(ports, owner, token, leak))
  }
}

/**
 * Refuses a package that holds a token, in its files or in what is said of it: what is published is copied by others
 * within minutes. Tokens of this registry are ended first, so that the refusal is no way to keep one. Throws
 * `token-in-package`.
 */
export async function refuseTokens(
  ports: Ports,
  upload: Pick<Upload, 'name' | 'version' | 'manifest' | 'readme'>,
  inFiles: readonly FoundToken[],
): Promise<void> {
  const found = [...inFiles, ...findInRecord(upload)]
  if (found.length === 0) return
  const { name, version } = upload
  let revoked = 0
  for (const { token, path } of found) {
    const where = `${name}@${version}: ${path}`
    if (await revokeLeaked(ports, token, { source: 'package', where })) revoked += 1
  }
  const files = [...new Set(found.map(each => each.path))].slice(0, shownFiles).join(', ')
  const isForeign = found.some(({ token }) => instanceOfToken(token) !== ports.store.instance.id)
  throw problem('token-in-package', { name, version, files, done: whatWasDone(revoked, isForeign) })
}

/** Manifest and README travel beside the tarball, and are public too. */
function findInRecord({ manifest, readme }: Pick<Upload, 'manifest' | 'readme'>): FoundToken[] {
  const found = new Map<string, FoundToken>()
  const scan = (text: string, path: string) =>
    scanForTokens(token => found.size < maxLeaks && found.set(token, { token, path }))(Buffer.from(text))
  scan(JSON.stringify(manifest), 'the manifest')
  scan(readme ?? '', 'the README')
  return [...found.values()]
}

function whatWasDone(revoked: number, isForeign: boolean): string {
  if (revoked > 0) return 'it is revoked now'
  return isForeign ? 'it belongs to another registry, so revoke it there' : 'it works no longer'
}

function subjectOf(ports: Ports, { name }: Token): string {
  return `Your token '${name}' leaked and is revoked – ${hostOf(ports.config.publicUrl)}`
}

function linesOf(ports: Ports, { login }: Account, token: Token, leak: Leak): string[] {
  const { publicUrl } = ports.config
  return [
    `Hello ${login},`,
    '',
    `your token '${token.name}' (${token.hint}…) ${found[leak.source]}${leak.where === '' ? '' : `: ${leak.where}`}.`,
    `It was revoked at ${new Date(ports.clock()).toISOString()} and works nowhere any more.`,
    '',
    token.lastUsedAt === null
      ? 'It was never used.'
      : `It was last used at ${new Date(token.lastUsedAt).toISOString()}. Look at what was published since it may have leaked.`,
    `Make a new one where it is needed: ${publicUrl}/account/tokens`,
  ]
}

const found: Readonly<Record<Leak['source'], string>> = {
  posted: 'was handed in by somebody who holds all of it',
  report: 'was reported as leaked',
  'secret-scanning': 'was found by a secret-scanning programme',
  package: 'was in a package that somebody tried to publish',
}
