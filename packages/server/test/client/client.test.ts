// SPDX-License-Identifier: Apache-2.0
/** The five real clients against one real server: two at a time, each story in its own order. */
import { after, describe } from 'node:test'
import { isHere, type Kind } from './client.ts'
import { installStory, refusalStory } from './install.ts'
import { npmOrgStory, npmPackageStory } from './npm.ts'
import { npmAccountStory } from './npm-account.ts'
import { npmTokenStory } from './npm-token.ts'
import { berryStory, bunStory, pnpmStory, yarnStory } from './other-account.ts'
import { type Registry, startRegistry } from './registry.ts'
import { secondFactorStory } from './second-factor.ts'

const registry = await startRegistry({ HOLDFAST_SIGN_UP: 'open', HOLDFAST_MFA: 'optional' })
after(() => registry.stop())

const stories: readonly (readonly [kind: Kind, what: string, story: (registry: Registry) => void])[] = [
  ['npm', 'its packages', npmPackageStory],
  ['npm', 'its organisations', npmOrgStory],
  ['npm', 'its account', npmAccountStory],
  ['npm', 'its tokens', npmTokenStory],
  ['pnpm', 'everything else', pnpmStory],
  ['yarn', 'everything else', yarnStory],
  ['berry', 'everything else', berryStory],
  ['bun', 'everything else', bunStory],
]

describe('real clients', { concurrency: 2 }, () => {
  for (const [kind, what, story] of stories) tell(kind, what, () => story(registry))
  for (const kind of ['npm', 'pnpm', 'yarn', 'berry', 'bun'] as const) {
    tell(kind, 'publishing and installing', () => installStory(kind, registry))
    tell(kind, 'publishing with a second factor', () => secondFactorStory(kind, registry))
    tell(kind, 'where the registry says no', () => refusalStory(kind, registry))
  }
})

function tell(kind: Kind, what: string, story: () => void): void {
  const skip = isHere(kind) ? false : `there is no build of ${kind} for this platform`
  describe(`${kind}: ${what}`, { concurrency: 1, skip }, story)
}
