// SPDX-License-Identifier: Apache-2.0
/** What npm's own protocol shows of a registry to anybody. */
import { createHash } from 'node:crypto'
import { fail, type OutsideProbe, pass, type Target, unseen } from '../outside.ts'
import { isSigned, readKeys } from '../registry-signature.ts'
import { jsonOf, type Sample } from '../target.ts'

const noSamples = 'no package is there to look at; name some with --package'
/** Versions about which every collection of advisories has something to say. */
const weak = { minimist: ['0.0.8'], lodash: ['4.17.20'] }

/** Clients ask this while they install. */
export const auditAnswers: OutsideProbe = {
  capability: 'cli-2-warn',
  async look(target) {
    const reply = await target.ask('-/npm/v1/security/advisories/bulk', weak)
    const known = reply.status === 200 ? Object.keys(Object(jsonOf(reply))) : []
    if (reply.status !== 200) return fail(`what npm audit asks is answered ${reply.status}`)
    if (known.length === 0) return fail('it knows nothing against minimist@0.0.8 and lodash@4.17.20')
    return pass(`npm audit is told what is known against ${known.join(' and ')}`)
  },
}

/** npm's registry signature over name, version and digest, by a key that is published. */
export const signatures: OutsideProbe = {
  capability: 'beyond-signatures',
  async look(target) {
    const reply = await target.ask('-/npm/v1/keys')
    if (reply.status !== 200)
      return fail(`/-/npm/v1/keys answers ${reply.status}: what goes out is not signed`)
    if (target.samples.length === 0) return unseen('keys are published', noSamples)
    const keys = readKeys(jsonOf(reply))
    const unsigned = target.samples.filter(
      sample => !isSigned(nameOf(sample), String(sample.dist['integrity']), sample.dist['signatures'], keys),
    )
    if (unsigned.length > 0) return fail(`no published key has signed ${unsigned.map(nameOf).join(', ')}`)
    return unseen(
      `signed by a published key: ${target.samples.map(nameOf).join(', ')}`,
      'whether what comes in from elsewhere is verified cannot be seen from outside',
    )
  },
}

/** Lock files pin what the registry says; its bytes must be those. */
export const pinned: OutsideProbe = {
  capability: 'cli-1-pin',
  async look(target) {
    if (target.samples.length === 0) return unseen(noSamples)
    for (const sample of target.samples) {
      const { integrity, tarball } = sample.dist
      if (typeof integrity !== 'string' || !integrity.startsWith('sha512-'))
        return fail(`${nameOf(sample)} has no SHA-512 that a lock file could pin`)
      const reply = await target.ask(String(tarball))
      const found = `sha512-${createHash('sha512').update(reply.body).digest('base64')}`
      if (reply.status !== 200 || found !== integrity)
        return fail(`the bytes of ${nameOf(sample)} are not those that lock files pin`)
    }
    return unseen(
      `the bytes of ${target.samples.map(nameOf).join(', ')} are those that lock files pin`,
      'what its command line does about entries without a pin cannot be seen from outside',
    )
  },
}

/** Attestations are served beside versions that have them. */
export const attestations: OutsideProbe = {
  capability: 'authz-3-provenance',
  async look(target) {
    if (target.samples.length === 0) return unseen(noSamples)
    const attested = target.samples.filter(({ dist }) => dist['attestations'] !== undefined)
    const words = `${attested.length} of ${target.samples.length} versions looked at have attestations`
    return unseen(words, 'whether they are verified when they come cannot be seen from outside')
  },
}

/** Passkeys reach npm by a web login, whatever the registry's pages offer. */
export const webLogin: OutsideProbe = {
  capability: 'authn-3-passkeys',
  look: target => lookForDoor(target, '-/v1/login', {}, 'npm login finds no web login, which passkeys need'),
}

/** Jobs of a CI trade the token of their provider for one of the registry's. */
export const tokenExchange: OutsideProbe = {
  capability: 'authz-3-oidc',
  look: target =>
    lookForDoor(
      target,
      '-/npm/v1/oidc/token/exchange/package/assessed',
      {},
      'nothing takes identity tokens of CI jobs',
    ),
}

/** A version waits until somebody else says yes. */
export const stages: OutsideProbe = {
  capability: 'beyond-staged',
  look: target => lookForDoor(target, '-/stage', undefined, 'npm stage finds nothing to talk to'),
}

async function lookForDoor(target: Target, path: string, body: unknown, lacking: string) {
  const { status } = await target.ask(path, body)
  if (status === 404 || status === 405 || status === 501)
    return fail(`${lacking}: /${path} answers ${status}`)
  return unseen(`/${path} is there and answers ${status}`, 'whether it does what it should needs an account')
}

function nameOf({ name, version }: Sample): string {
  return `${name}@${version}`
}
