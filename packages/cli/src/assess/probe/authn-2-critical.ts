// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount } from '../probe-account.ts'
import { describeReply, openProbeClient } from '../probe-client.ts'

/** Even where second factors are optional, a critical package takes no change of a maintainer without one. */
export const criticalMfa: Probe = { capability: 'authn-2-critical', run }

async function run(given: ProbeInstance): Promise<Evidence> {
  const instance = await given.startOther({ HOLDFAST_MFA: 'optional' })
  const client = await openProbeClient(instance)
  const account = await openProbeAccount(instance, client)
  const name = client.nameOf('critical')
  const publish = (version: string) => client.publish({ name, version }, account.token)
  const first = await publish('1.0.0')
  demand(first.status === 201, `before it is critical it must publish: ${describeReply(first)}`)
  await instance.operate('mark', name, '--words', 'marked by a probe')
  const refused = await publish('1.1.0')
  demand(refused.status === 403, `a critical package must refuse it: ${describeReply(refused)}`)
  const said = refused.body.toString()
  demand(said.includes('marked by a probe'), `the refusal must say why it is critical: ${said}`)
  const tag = `/npm/-/package/${name.replace('/', '%2f')}/dist-tags/next`
  const tagged = await client.ask('PUT', tag, { body: '"1.0.0"', token: account.token })
  demand(tagged.status === 403, `its tags must not move either: ${describeReply(tagged)}`)
  await instance.operate('unmark', name)
  const again = await publish('1.1.0')
  demand(again.status === 201, `without the mark it must publish again: ${describeReply(again)}`)
  return [
    'a maintainer without a second factor publishes where that is optional',
    'marked as critical, the package refuses the next publish and a tag at once, and says why',
    'without the mark it takes them again',
  ]
}
