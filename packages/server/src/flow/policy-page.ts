// SPDX-License-Identifier: Apache-2.0
/** Pages on which this registry says what it promises, in its own words or its operators'. */
import { problem, type SecurityText } from '@holdfast/core'
import {
  defaultPolicyText,
  fillPolicyText,
  type PolicyFacts,
  type PolicyPageName,
  type PolicyText,
  parsePolicyText,
  transferDays,
} from '../community/index.ts'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { downloadLife } from './download-life.ts'
import { provePresence } from './presence.ts'
import { unpublishLimits } from './unpublish.ts'

const dayMs = 24 * 3600_000
/** Whoever keeps a copy of the file asks again long before. */
const securityTextLifeMs = 90 * dayMs
const maxWords = 500
const maxHistory = 200

type Asked = Pick<Ports, 'config' | 'store' | 'mail'>

/** What the pages may name: the values that the code goes by. */
export function policyFacts({ config, mail }: Pick<Ports, 'config' | 'mail'>): PolicyFacts {
  const { publicUrl, unpublishHours, recoveryWaitHours } = config
  const way =
    mail.kind === 'smtp'
      ? `[Ask for the letter](${publicUrl}/recover).`
      : 'This registry sends no mail, so the ways by mailbox are closed: ask its operator.'
  return {
    registry: publicUrl,
    contacts: contactList(config.securityContact),
    unpublishWindow: plural(unpublishHours, 'hour'),
    unpublishDays: String(unpublishLimits.downloadDays),
    unpublishDownloads: String(unpublishLimits.downloads),
    unpublishOwners: plural(unpublishLimits.owners, 'owner'),
    recoveryWait:
      recoveryWaitHours % 24 === 0
        ? plural(recoveryWaitHours / 24, 'day')
        : plural(recoveryWaitHours, 'hour'),
    recoveryWay: way,
    recordDays: String(downloadLife.record),
    addressDays: String(downloadLife.address),
    holderDays: String(downloadLife.holder),
    transferAnswer: plural(transferDays.answer, 'day'),
    transferWait: plural(transferDays.wait, 'day'),
  }
}

function contactList(contacts: readonly string[]): string {
  if (contacts.length === 0)
    return 'The operator of this registry has not named an address for this yet: use the way by which you got your account.'
  return contacts.map(each => `- [${each.replace(/^(mailto|tel):/, '')}](${each})`).join('\n')
}

/** A page as it counts now: the version and its text, before facts are filled in. */
export interface ShownPolicy {
  readonly version: number
  readonly text: string
  /** When an operator wrote it; null for the text that comes with the release. */
  readonly changedAt: number | null
}

/** A page's text, the newest or one from before. Throws `not-found` for a version that there is not. */
export async function readPolicyPage(
  { store }: Pick<Ports, 'store'>,
  page: PolicyPageName,
  version?: number,
): Promise<ShownPolicy> {
  const found = version === 0 ? undefined : await store.community.findPolicyText(page, version)
  if (found !== undefined) return { version: found.version, text: found.text, changedAt: found.at }
  if (version !== undefined && version !== 0) throw problem('not-found')
  return { version: 0, text: defaultPolicyText(page), changedAt: null }
}

/** The same as people read it. */
export async function readFilledPolicy(
  ports: Asked,
  page: PolicyPageName,
  version?: number,
): Promise<ShownPolicy> {
  const shown = await readPolicyPage(ports, page, version)
  return { ...shown, text: fillPolicyText(shown.text, policyFacts(ports)) }
}

/** What operators wrote on a page, newest first. */
export function listPolicyChanges(
  { store }: Pick<Ports, 'store'>,
  page: PolicyPageName,
): Promise<readonly PolicyText[]> {
  return store.community.listPolicyTexts(page, maxHistory)
}

/** Puts a text in the place of the version that its writer saw. Throws `policy-page-changed`, `invalid-body`. */
export async function editPolicyPage(
  ports: Ports,
  actor: Actor,
  page: PolicyPageName,
  edit: { readonly base: number; readonly text: string; readonly words: string },
): Promise<PolicyText> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const text = parsePolicyText(edit.text, policyFacts(ports))
  const before = await readPolicyPage(ports, page)
  if (before.version !== edit.base) throw problem('policy-page-changed')
  if (before.text === text) throw problem('invalid-body', { why: 'nothing in it changed' })
  const words = edit.words
    .replace(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, maxWords)
  const kept = { page, version: before.version + 1, text, words, author: actorId(actor), at: ports.clock() }
  const event = { type: 'policy-page', detail: { page, version: kept.version, words } } as const
  await ports.store.commit(grant, event, tx => tx.community.addPolicyText(kept))
  return kept
}

/** What `/.well-known/security.txt` says. Without an address of its own the disclosure policy says how. */
export function securityTextOf({ config, clock }: Pick<Ports, 'config' | 'clock'>): SecurityText {
  const policy = `${config.publicUrl}/policy/disclosure`
  const today = Math.floor(clock() / dayMs) * dayMs
  return {
    contacts: config.securityContact.length === 0 ? [policy] : config.securityContact,
    expiresAt: today + securityTextLifeMs,
    policies: [policy],
    canonicals: [`${config.publicUrl}/.well-known/security.txt`],
    languages: config.securityLanguages,
  }
}

function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}
