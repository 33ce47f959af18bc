// SPDX-License-Identifier: Apache-2.0
/** What the owners of a package have not done yet for whoever installs it, the most useful first. */
import type { PackageName } from '@holdfast/core'
import type { PageContext } from '../context.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { accessPath, publishersPath } from '../part/link.ts'
import { notice } from '../part/notice.ts'
import { type Step, stepList } from './security-checklist.ts'

/** What is known of how a package is kept. */
export interface Care {
  /** People who may publish it. */
  readonly maintainers: number
  readonly trustedPublishers: number
  /** A version proved where it was built. */
  readonly hasProvenance: boolean
  /** Changes of it ask for a second factor, whoever makes them. */
  readonly demandsFactor: boolean
  /** Somebody else approves what is published. */
  readonly isStaged: boolean
}

/** What a well-kept package has, in the order in which to get it. */
export function careSteps(name: PackageName, care: Care): readonly Step[] {
  return [
    {
      what: 'A second maintainer',
      isDone: care.maintainers > 1,
      why: 'Who loses the account, or is on holiday, can mend nothing; somebody else can.',
      act: 'Add a maintainer',
      path: accessPath(name),
    },
    {
      what: 'A second factor for every change',
      isDone: care.demandsFactor,
      why: 'A stolen password or token alone publishes nothing then.',
      act: 'Ask for a second factor',
      path: accessPath(name),
    },
    {
      what: 'Trusted publishing',
      isDone: care.trustedPublishers > 0,
      why: 'Your CI publishes without a stored token: there is nothing to steal.',
      act: 'Publish from CI',
      path: publishersPath(name),
    },
    {
      what: 'Provenance',
      isDone: care.hasProvenance,
      why: 'Everybody sees from which commit a version was built, and later versions cannot prove less.',
      act: 'Publish with provenance',
      path: '/use#publish',
    },
    {
      what: 'Staged releases',
      isDone: care.isStaged,
      why: 'A second person looks at a version before anybody gets it.',
      act: 'Have versions approved',
      path: accessPath(name),
    },
  ]
}

/** The next step, for owners who look at their package; nothing where all is done, and nothing for others. */
export async function nextStep(c: PageContext, name: PackageName): Promise<Markup> {
  const care = await readCare(c, name)
  const next = care && careSteps(name, care).find(step => !step.isDone)
  if (next === undefined) return nothing
  const body = html`<p>${next.why} <a href="${next.path}">${next.act}</a> · <a href="${accessPath(name)}#care">All steps</a></p>`
  return notice('plain', `For this package you have not done yet: ${next.what.toLowerCase()}`, body)
}

/** All of them, for the page of those who have access. */
export async function careSection(c: PageContext, name: PackageName): Promise<Markup> {
  const care = await readCare(c, name)
  if (care === undefined) return nothing
  return html`<h2 id="care">How well it is kept</h2>${stepList(careSteps(name, care))}`
}

async function readCare(c: PageContext, name: PackageName): Promise<Care | undefined> {
  const { store, clock } = c.env.ports
  const known = await store.catalog.findPackage(name)
  if (known === undefined) return undefined
  const people = await store.catalog.listPeople(name)
  const publishers = await store.identity.listPublishers(name, clock())
  const level = (await store.trust.findTrust(name))?.level ?? 'none'
  return {
    maintainers: people.filter(({ role }) => role === 'owner' || role === 'maintainer').length,
    trustedPublishers: publishers.length,
    hasProvenance: level === 'provenance' || level === 'source',
    demandsFactor: known.requiresTfa !== 'none',
    isStaged: known.approvals > 0,
  }
}
