// SPDX-License-Identifier: Apache-2.0
/** What is not reached yet, in the order in which it pays to close it. */
import { type Capability, type CapabilityId, capabilities } from '@holdfast/core'
import type { Assessment, LevelTrack } from './assessment.ts'

/** How much work it usually is: settings and a page, a feature, or a part of its own. */
export type Effort = 'hours' | 'days' | 'weeks'

export interface Gap {
  readonly id: CapabilityId
  readonly capability: Capability
  /** What closing it does. */
  readonly effect: string
  readonly effort: Effort
}

const order: readonly Effort[] = ['hours', 'days', 'weeks']

const efforts: Readonly<Record<CapabilityId, Effort>> = {
  'authn-1-email': 'days',
  'authn-1-recovery': 'days',
  'authn-1-totp': 'days',
  'authn-1-notify': 'days',
  'authn-1-bruteforce': 'days',
  'authn-2-domains': 'days',
  'authn-2-webauthn': 'weeks',
  'authn-2-critical': 'days',
  'authn-2-leaked': 'hours',
  'authn-3-passkeys': 'days',
  'authn-3-all-mfa': 'hours',
  'authn-3-critical-phishing': 'hours',
  'authz-1-scoped-keys': 'weeks',
  'authz-1-prefix': 'hours',
  'authz-2-rbac': 'weeks',
  'authz-3-oidc': 'weeks',
  'authz-3-scanning': 'days',
  'authz-3-provenance': 'weeks',
  'general-1-vdp': 'hours',
  'general-1-typosquat': 'weeks',
  'general-2-unpublish': 'days',
  'general-2-report': 'days',
  'general-2-malware': 'weeks',
  'general-2-warn': 'days',
  'general-3-review': 'hours',
  'general-3-log': 'weeks',
  'general-3-osv': 'days',
  'cli-1-pin': 'days',
  'cli-2-warn': 'days',
  'cli-3-sbom': 'days',
  'cli-3-fix': 'weeks',
  'cli-3-reachability': 'weeks',
  'beyond-takedown': 'weeks',
  'beyond-blast': 'weeks',
  'beyond-publisher-gate': 'weeks',
  'beyond-one-gate': 'weeks',
  'beyond-fix-aware-age': 'days',
  'beyond-signatures': 'days',
  'beyond-freeze': 'days',
  'beyond-staged': 'weeks',
  'beyond-weighted-reports': 'days',
  'beyond-confusion': 'days',
  'beyond-airgap': 'weeks',
  'beyond-explain': 'days',
  'beyond-drill': 'weeks',
}

/** First what a track needs for its next level, lowest levels first, the least work first; then the rest. */
export function listGaps({ capabilities: results, levels }: Assessment): readonly Gap[] {
  const open = results.filter(({ status }) => status === 'fail' || status === 'missing')
  const gaps = open.flatMap(({ id }) => {
    const capability = capabilities.find(each => each.id === id)
    return capability === undefined ? [] : [gapOf(capability, levels)]
  })
  return gaps.sort((one, other) => rank(one, levels) - rank(other, levels))
}

function gapOf(capability: Capability, levels: Assessment['levels']): Gap {
  const { id, track, level } = capability
  const effect =
    level === undefined
      ? 'closes a way in that the framework does not name'
      : isNext(capability, levels)
        ? `one of those that lift ${track} to level ${level}`
        : `counts for ${track} level ${level}, once the levels below are reached`
  return { id: id as CapabilityId, capability, effect, effort: efforts[id as CapabilityId] }
}

function isNext({ track, level }: Capability, levels: Assessment['levels']): boolean {
  return track !== 'beyond' && level === levels[track as LevelTrack] + 1
}

function rank({ capability, effort }: Gap, levels: Assessment['levels']): number {
  const step = isNext(capability, levels) ? 0 : capability.level === undefined ? 2 : 1
  return step * 100 + (capability.level ?? 0) * 10 + order.indexOf(effort)
}
