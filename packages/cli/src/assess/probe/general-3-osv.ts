// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { advisoryId, tellAdvisories } from '../probe-advisory.ts'
import { describeReply, openProbeClient, type ProbeClient } from '../probe-client.ts'

/** What is known to be malicious is told in OSV: asked as osv-scanner asks, taken as a zip, followed as a feed. */
export const osvAdvisories: Probe = { capability: 'general-3-osv', run }

const bad = '1.0.1'
const mended = '1.0.2'

type Json = Readonly<Record<string, unknown>>

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const name = client.nameOf('taken-over')
  await tellAdvisories(instance, [
    { name, introduced: bad, fixed: mended, isMalware: true, publishedAt: Date.now() },
  ])
  const id = advisoryId({ name, isMalware: true })
  await showRecord(client, id, name)
  await showQueries(client, id, name)
  await showExport(client, id)
  return [
    'a malicious package is a record of the OSV schema under its id',
    'query and querybatch answer by name and by purl for the version that is bad, and for its neighbours not',
    'the zip of all records and the Atom feed have it',
  ]
}

async function showRecord(client: ProbeClient, id: string, name: string): Promise<void> {
  const reply = await client.ask('GET', `/osv/v1/vulns/${id}`)
  demand(reply.status === 200, `a record must be there under its id: ${describeReply(reply)}`)
  const told = JSON.parse(reply.body.toString()) as Json
  const [affected] = (told['affected'] ?? []) as readonly {
    package?: { ecosystem?: string; name?: string }
  }[]
  const isWhole = told['id'] === id && !Number.isNaN(Date.parse(String(told['modified'])))
  const isAbout = affected?.package?.ecosystem === 'npm' && affected.package.name === name
  demand(isWhole && isAbout, 'a record must say what the OSV schema wants: id, modified, affected')
}

async function showQueries(client: ProbeClient, id: string, name: string): Promise<void> {
  const purl = `pkg:npm/${name.replace('@', '%40')}`
  for (const [version, wanted] of [
    ['1.0.0', []],
    [bad, [id]],
    [mended, []],
  ] as const) {
    const asked = { package: { name, ecosystem: 'npm' }, version }
    const found = idsIn(await post(client, 'query', asked))
    demand(found.join() === wanted.join(), `query must answer ${wanted.join() || 'nothing'} for ${version}`)
    const queries = [asked, { package: { purl: `${purl}@${version}` } }]
    const { results } = await post(client, 'querybatch', { queries })
    const all = (Array.isArray(results) ? results : []).map(each => idsIn(each as Json).join())
    demand(
      all.length === 2 && all.every(each => each === wanted.join()),
      `querybatch must answer the same for ${version}, by name and by purl`,
    )
  }
}

async function showExport(client: ProbeClient, id: string): Promise<void> {
  const zip = await client.ask('GET', '/osv/npm/all.zip')
  const isZip = zip.status === 200 && zip.body.subarray(0, 2).toString() === 'PK'
  demand(isZip && zip.body.includes(`${id}.json`), 'the zip of all records must have it')
  const feed = await client.ask('GET', '/feed/advisories.atom')
  const text = feed.body.toString()
  demand(feed.status === 200 && /<feed [^>]*Atom/.test(text) && text.includes(id), 'the feed must have it')
}

async function post(client: ProbeClient, path: string, body: Json): Promise<Json> {
  const reply = await client.ask('POST', `/osv/v1/${path}`, { body: JSON.stringify(body) })
  demand(reply.status === 200, `${path} must be answered: ${describeReply(reply)}`)
  return JSON.parse(reply.body.toString()) as Json
}

function idsIn({ vulns }: Json): readonly string[] {
  return ((vulns ?? []) as readonly { readonly id: string }[]).map(each => each.id)
}
