// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { tellAdvisories } from '../probe-advisory.ts'
import {
  describeReply,
  encodeName,
  openProbeClient,
  type ProbeClient,
  readObject,
  tarballPath,
  until,
} from '../probe-client.ts'
import { findProbeUpstream, type ProbeUpstream } from '../probe-upstream.ts'

/** Whoever is refused a version learns by which rule, what to use instead, and how to ask for an exception. */
export const explain: Probe = { capability: 'beyond-explain', run }

const good = '1.0.0'
const bad = '1.0.1'

const policy = [
  { kind: 'malware', mode: 'enforce' },
  { kind: 'signature', mode: 'enforce' },
  { kind: 'release-age', days: 3, mode: 'enforce' },
  { kind: 'install-script', action: 'hold', mode: 'enforce' },
  { kind: 'advisory', severity: 'high', mode: 'enforce' },
  { kind: 'deny', packages: ['probe-denied-*'], versions: bad, mode: 'enforce' },
]

/** A way to be refused: what makes it, the rule that must be named, and whether a person may open it. */
interface Refusal {
  readonly word: string
  readonly rule: string
  readonly isWaivable: boolean
  readonly bad?: Partial<Parameters<ProbeUpstream['publish']>[0]>
  readonly after?: (instance: ProbeInstance, name: string) => Promise<unknown>
}

const refusals: readonly Refusal[] = [
  { word: 'young', rule: 'release-age', isWaivable: true, bad: { ageDays: 0.5 } },
  { word: 'forged', rule: 'signature', isWaivable: true, bad: { isSignatureWrong: true } },
  {
    word: 'script',
    rule: 'install-script',
    isWaivable: true,
    bad: { manifest: { scripts: { install: 'node x.js' } } },
  },
  { word: 'denied', rule: 'deny', isWaivable: true },
  {
    word: 'flawed',
    rule: 'advisory',
    isWaivable: true,
    after: (instance, name) => tellAdvisories(instance, [{ name, introduced: bad, publishedAt: Date.now() }]),
  },
  {
    word: 'malware',
    rule: 'malware',
    isWaivable: false,
    after: (instance, name) =>
      tellAdvisories(instance, [{ name, introduced: bad, publishedAt: Date.now(), isMalware: true }]),
  },
  {
    word: 'contained',
    rule: '',
    isWaivable: false,
    after: (instance, name) => instance.operate('quarantine', `${name}@${bad}`, '--reason', 'malware'),
  },
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const settings = { ...upstream.settings, HOLDFAST_POLICY: JSON.stringify(policy) }
  const other = await instance.startOther(settings)
  const client = await openProbeClient(other)
  for (const refusal of refusals) {
    const name = upstream.nameOf(refusal.word)
    upstream.publish({ name, version: good })
    upstream.publish({ name, version: bad, ...refusal.bad })
    await refusal.after?.(other, name)
    await checkAnswer(client, name, refusal)
    await checkRestriction(client, name)
    await checkWhy(client, name, refusal)
    await checkPage(client, name, refusal)
  }
  const rules = refusals.flatMap(({ rule }) => (rule === '' ? [] : [rule]))
  return [
    `provoked: ${rules.join(', ')}, and a quarantine`,
    `the answer to npm says why and by which rule, that ${good} is allowed, and where to read more; the packument tells npm of the hidden version`,
    'the page behind it and the API name the rule, what to use instead, and how to ask for a waiver; of malware and quarantine, that there is none',
  ]
}

/** What npm prints. */
async function checkAnswer(client: ProbeClient, name: string, { word, rule }: Refusal): Promise<void> {
  const ask = () => client.ask('GET', tarballPath(name, bad))
  await until(async () => (await ask()).status === 403, `a version that is ${word} must be refused`)
  const reply = await ask()
  const { error } = JSON.parse(reply.body.toString()) as { error: string }
  const says = `the refusal of a version that is ${word} must say`
  demand(error.includes(`${name}@${bad}`), `${says} which one: ${describeReply(reply)}`)
  const why = rule === '' ? 'quarantined' : `(rule ${rule})`
  demand(error.includes(why), `${says} by which rule: ${describeReply(reply)}`)
  demand(error.includes(`instead: ${good}`), `${says} what to use instead: ${describeReply(reply)}`)
  demand(error.includes(`/why/npm/${name}/${bad}`), `${says} where to read more: ${describeReply(reply)}`)
}

/** What npm prints when a range leads to nothing else. */
async function checkRestriction(client: ProbeClient, name: string): Promise<void> {
  const document = readObject(await client.ask('GET', `/npm/${encodeName(name)}`), 'the packument')
  demand(!Object.hasOwn(Object(document['versions']), bad), `${name}@${bad} must be hidden`)
  const { message, versions } = Object(document['policyRestrictions'])
  demand(Object.hasOwn(Object(versions), bad), `the packument must tell npm why ${name}@${bad} is hidden`)
  demand(String(message).includes(`/why/npm/${name}`), `it must say where to read more: ${message}`)
}

async function checkWhy(client: ProbeClient, name: string, refusal: Refusal): Promise<void> {
  const told = readObject(await client.ask('GET', `/api/v1/why/npm/${name}/${bad}`), 'why')
  const { word, rule, isWaivable } = refusal
  demand(told['rule'] === rule, `of a version that is ${word} the rule must be '${rule}': ${told['rule']}`)
  demand(told['next'] === good, `of a version that is ${word} the next allowed must be told: ${told['next']}`)
  demand(told['waivable'] === isWaivable, `whether there is a waiver must be told of one that is ${word}`)
}

async function checkPage(client: ProbeClient, name: string, refusal: Refusal): Promise<void> {
  const { word, rule, isWaivable } = refusal
  const reply = await client.ask('GET', `/why/npm/${name}/${bad}`, { accept: 'text/html', token: '' })
  const page = reply.body.toString()
  const says = `the page of a version that is ${word} must say`
  demand(reply.status === 200, `${says} something: ${describeReply(reply)}`)
  demand(page.includes(rule === '' ? 'quarantined' : `The rule ${rule} closes it`), `${says} which rule`)
  demand(page.includes(`npm install ${name}@${good}`), `${says} what to use instead`)
  demand(/waiver ask/.test(page) === isWaivable, `${says} how to ask for a waiver, or nothing of it`)
}
