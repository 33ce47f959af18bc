// SPDX-License-Identifier: Apache-2.0
/** The attacks of drills: each is acted out through the same door that a real one would take. */
import type { PackageName } from '@holdfast/core'
import type { DrillPlaybook } from '../incident/index.ts'
import { isServed, makeMeans, nameOf, type Part, publishAs, type Stage, say, seed } from './drill-stage.ts'
import { upstreamNameOf } from './drill-upstream.ts'

/** What an attack has done so far; grows while it goes on. */
export interface Tally {
  readonly infected: { readonly name: PackageName; readonly version: string }[]
  /** What the attacker acts with, and a package of the victim to try it on. */
  readonly means: Part['secret'][]
  readonly tokenIds: string[]
  refused: number
  isOver: boolean
}

/** One playbook, acted out. */
export interface Scene {
  /** Makes what is there before the attack. */
  prepare(stage: Stage, victim: Part): Promise<void>
  /** The attack, from its first act to its last. */
  attack(stage: Stage, victim: Part, tally: Tally): Promise<void>
  /** Whether what the attacker acts with must be dead for it to be contained: where no machine could know whose hand it is, a person says so. */
  readonly endsMeans: 'always' | 'by-people'
}

/** Several lanes, as a worm would: the second publish does not wait for the answer to the first. */
const lanes = 4
const first = '1.0.0'
const bad = '1.0.1'
/** They say what malware would do to a package, and do nothing. */
const payload = {
  files: { 'lib/spread.js': '// A drill: this file does nothing.\n' },
  scripts: { postinstall: 'node lib/spread.js' },
}

const worm: Scene = {
  endsMeans: 'always',
  async prepare(stage, victim) {
    const { packages } = stage.drill
    const names = Array.from({ length: packages }, (_, at) => nameOf(stage, at))
    await seed(
      stage,
      victim.account,
      names.map(name => ({ name, version: first })),
    )
    say(stage, `${packages} packages of one maintainer lie in the sandbox, each with one version`)
  },
  async attack(stage, victim, tally) {
    const { packages, path } = stage.drill
    tally.means.push(victim.secret)
    tally.tokenIds.push(victim.tokenId)
    let at = 0
    const run = async () => {
      while (at < packages && tally.refused === 0 && !stage.signal.aborted) {
        const name = nameOf(stage, at++)
        await spread(stage, victim.secret, tally, { name, version: bad, ...payload })
      }
    }
    await Promise.all(Array.from({ length: path === 'automatic' ? lanes : 2 }, run))
    const got = `${tally.infected.length} of ${packages} packages`
    say(stage, `the worm got into ${got}, and was refused ${tally.refused} times`)
  },
}

const takeover: Scene = {
  endsMeans: 'by-people',
  async prepare(stage, victim) {
    const name = nameOf(stage, 0)
    for (const version of ['1.0.0', '1.0.1', '1.0.2'])
      if ((await publishAs(stage, victim.secret, { name, version })) >= 300)
        throw new Error(`the sandbox takes no ${name}@${version}`)
    say(stage, 'a maintainer published three versions of a package with one token')
  },
  async attack(stage, victim, tally) {
    const stolen = await makeMeans(stage, victim.account)
    say(stage, 'somebody else made a token with what they phished of the maintainer')
    tally.means.push(stolen.secret)
    tally.tokenIds.push(stolen.tokenId)
    await spread(stage, stolen.secret, tally, { name: nameOf(stage, 0), version: '1.0.3', ...payload })
  },
}

const leak: Scene = {
  endsMeans: 'always',
  async prepare(stage, victim) {
    await seed(stage, victim.account, [{ name: nameOf(stage, 0), version: first }])
    say(stage, 'a maintainer has one package and the token of its CI')
  },
  async attack(stage, victim, tally) {
    tally.means.push(victim.secret)
    tally.tokenIds.push(victim.tokenId)
    const files = { 'ci.env': `NPM_TOKEN=${victim.secret}\n` }
    const name = nameOf(stage, 0)
    await spread(stage, victim.secret, tally, { name, version: bad, files })
    say(stage, 'the maintainer published a version with that token in a file')
    await spread(stage, victim.secret, tally, { name, version: '1.0.2', ...payload })
    say(stage, 'somebody who found the token published with it')
  },
}

const takedown: Scene = {
  endsMeans: 'always',
  async prepare(stage, victim) {
    const name = upstreamNameOf(stage.drill)
    const versions = ['1.0.0', '1.0.1']
    for (const version of versions)
      if (!(await isServed(stage, victim.secret, name, version)))
        throw new Error(`${name}@${version} does not come in from the upstream of the drill`)
    say(stage, `${versions.length} versions came in from an upstream, and somebody installed them`)
  },
  async attack(stage, _victim, tally) {
    tally.infected.push({ name: upstreamNameOf(stage.drill), version: bad })
    say(stage, `the upstream lists ${bad} no longer`)
  },
}

/** By playbook. */
export const drillScenes: Readonly<Record<DrillPlaybook, Scene>> = {
  worm,
  'account-takeover': takeover,
  'leaked-token': leak,
  'upstream-takedown': takedown,
}

async function spread(
  stage: Stage,
  token: string,
  tally: Tally,
  sample: Parameters<typeof publishAs>[2],
): Promise<void> {
  const status = await publishAs(stage, token, sample)
  if (status < 300) tally.infected.push({ name: sample.name as PackageName, version: sample.version })
  else tally.refused += 1
}
