// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { advisoryId, tellAdvisories } from '../probe-advisory.ts'
import { describeReply, openProbeClient, type ProbeClient, until } from '../probe-client.ts'
import { openProbeOperator, type ProbeVisitor } from '../probe-visitor.ts'

/** What is known against a package, and against what it brings along, stands on its page, with the way there. */
export const pageWarnings: Probe = { capability: 'general-2-warn', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const [deep, middle, top] = [client.nameOf('deep'), client.nameOf('middle'), client.nameOf('top')]
  await publishAll(client, [
    { name: deep, version: '1.0.0' },
    { name: deep, version: '1.0.1' },
    { name: middle, version: '1.0.0', dependencies: { [deep]: '1.0.0' } },
    { name: top, version: '1.0.0', dependencies: { [middle]: '^1.0.0' } },
    { name: client.nameOf('safe'), version: '1.0.0', dependencies: { [deep]: '^1.0.0' } },
  ])
  const visit = await openProbeOperator(instance)
  const id = advisoryId({ name: deep })
  await tellAdvisories(instance, [{ name: deep, fixed: '1.0.1', publishedAt: Date.now() }])
  await until(
    async () => (await read(visit, deep, '1.0.0')).includes(id),
    'the page of a version must show what is known against it',
  )
  const own = await read(visit, deep, '1.0.0')
  demand(
    /\b(low|moderate|high|critical)\b/.test(own),
    'how bad it is must be said in a word, not in a colour',
  )
  demand(!(await read(visit, deep, '1.0.1')).includes(id), 'the page of a mended version must not show it')
  await showDependency(visit, { top, middle, deep, id })
  const safe = await read(visit, client.nameOf('safe'), '1.0.0')
  demand(!safe.includes(id), 'what a package would not bring along must not be held against it')
  return [
    `the page of ${deep}@1.0.0 shows its flaw in words, that of 1.0.1 does not`,
    `the page of ${top} shows the flaw of a dependency of its dependency, with the way there, in a table and a picture`,
  ]
}

async function publishAll(
  client: ProbeClient,
  samples: readonly Parameters<ProbeClient['publish']>[0][],
): Promise<void> {
  for (const sample of samples) {
    const reply = await client.publish(sample)
    demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  }
}

function read(visit: ProbeVisitor, name: string, version: string): Promise<string> {
  return visit(`/package/npm/${name}?v=${version}&show=security`)
}

async function showDependency(
  visit: ProbeVisitor,
  { top, middle, deep, id }: Readonly<Record<'top' | 'middle' | 'deep' | 'id', string>>,
): Promise<void> {
  await until(
    async () => (await read(visit, top, '1.0.0')).includes(id),
    'the page of a package must show what is known against its dependencies',
  )
  const page = await read(visit, top, '1.0.0')
  demand(page.includes(`<td>${middle}@1.0.0</td>`), 'it must say by way of what')
  demand(page.includes(`${deep}@1.0.0, vulnerable`), 'the picture must mark what is vulnerable in words')
  demand(/1 in dependencies/.test(page), 'the column beside must count it')
}
