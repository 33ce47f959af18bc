// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { confusion } from '../src/assess/probe/beyond-confusion.ts'
import { explain } from '../src/assess/probe/beyond-explain.ts'
import { fixAwareAge } from '../src/assess/probe/beyond-fix-aware-age.ts'
import { oneGate } from '../src/assess/probe/beyond-one-gate.ts'
import { signatures } from '../src/assess/probe/beyond-signatures.ts'
import { takedown } from '../src/assess/probe/beyond-takedown.ts'
import type { Probe, ProbeInstance, Settings } from '../src/assess/probe.ts'
import { findProbeUpstream } from '../src/assess/probe-upstream.ts'
import { type Answer, type Asked, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const opened = new Map<string, Promise<ProbeInstance>>()

/** One instance with these settings for all twins: probes make names of their own. */
function openOther(settings: Settings): Promise<ProbeInstance> {
  const key = JSON.stringify(settings)
  const known = opened.get(key) ?? real.startOther(settings)
  opened.set(key, known)
  return known
}

/** What is broken: answers, what the operator's commands do, or that a configuration is taken. */
interface Fault {
  readonly tamper?: Tamper
  readonly operate?: (other: ProbeInstance, args: readonly string[]) => Promise<string>
  readonly start?: (settings: Settings) => Settings
}

/** Runs a probe where every instance behind an upstream breaks one property, and wants to see it fail for that. */
async function assertCaught(probe: Probe, why: RegExp, fault: Fault): Promise<void> {
  const twins: { close(): void }[] = []
  const startOther = async (settings: Settings) => {
    const other = await openOther(fault.start?.(settings) ?? settings)
    const twin = await startTwin(other.url, fault.tamper ?? ((_, answer) => answer))
    twins.push(twin)
    const operate = (...args: string[]) => fault.operate?.(other, args) ?? other.operate(...args)
    return { ...other, url: twin.url, operate }
  }
  try {
    await assert.rejects(probe.run({ ...real, startOther }), why)
  } finally {
    for (const twin of twins) twin.close()
  }
}

const isTarball = ({ path }: Asked) => path.endsWith('.tgz')
const isDocument = ({ method, path }: Asked) => method === 'GET' && /^\/npm\/(@[^/]+%2f)?[^/@]+$/.test(path)
const json = (value: unknown): Answer => ({
  status: 200,
  type: 'application/json',
  body: Buffer.from(JSON.stringify(value)),
})
const served: Answer = { status: 200, type: 'application/octet-stream', body: Buffer.from('bytes') }

/** The document with something in it changed. */
function changed(answer: Answer, change: (document: Record<string, unknown>) => object): Answer {
  return answer.status === 200 ? json(change(JSON.parse(answer.body.toString()))) : answer
}

/** What the upstream itself answers. */
async function fromUpstream(path: string): Promise<Answer> {
  const { settings } = await findProbeUpstream()
  const { upstream } = JSON.parse(settings['HOLDFAST_ORIGINS'] ?? '{}')
  const reply = await fetch(upstream + path.replace(/^\/npm/, ''))
  return { ...served, status: reply.status, body: Buffer.from(await reply.arrayBuffer()) }
}

describe('the probe of one origin for a name notices an instance', { concurrency: 2 }, () => {
  test('that starts although nobody can say where names come from', async () => {
    const start = (settings: Settings) => (settings['HOLDFAST_UPSTREAM_NAMES'] ? settings : {})
    await assertCaught(confusion, /must not start with two origins/, { start })
  })

  test('that takes the higher version of both sources', async () => {
    const tamper: Tamper = (asked, answer) =>
      isDocument(asked) && asked.path.endsWith('ours') ? fromUpstream(asked.path) : answer
    await assertCaught(confusion, /must be what is hosted, and not 99\.0\.0/, { tamper })
  })

  test('where a hosted name that is not there yet falls through', async () => {
    const tamper: Tamper = (asked, answer) =>
      isDocument(asked) && answer.status === 404 ? fromUpstream(asked.path) : answer
    await assertCaught(confusion, /must not fall through/, { tamper })
  })

  test('that asks the upstream for a hosted name, and then thinks better of it', async () => {
    const tamper: Tamper = async (asked, answer) => {
      if (isDocument(asked) && answer.status === 404) await fromUpstream(asked.path)
      return answer
    }
    await assertCaught(confusion, /must not be asked for a hosted name/, { tamper })
  })

  test('that does not see a namesake upstream', async () => {
    const operate = async (other: ProbeInstance, args: readonly string[]) =>
      args[0] === 'check-names' ? '' : other.operate(...args)
    await assertCaught(confusion, /upstream must be noticed/, { operate })
  })

  test('that tells nobody of it', async () => {
    const tamper: Tamper = (asked, answer) => (asked.path === '/operate/mail' ? served : answer)
    await assertCaught(confusion, /must be told by mail/, { tamper })
  })
})

describe('the probe of signatures notices an instance', { concurrency: 2 }, () => {
  const dist = (answer: Answer, change: (dist: Record<string, unknown>) => object) =>
    changed(answer, document => ({
      ...document,
      versions: Object.fromEntries(
        Object.entries(document['versions'] as Record<string, { dist: Record<string, unknown> }>).map(
          ([version, each]) => [version, { ...each, dist: change(each.dist) }],
        ),
      ),
    }))

  for (const [word, why] of [
    ['forged', /signed for another version must be refused/],
    ['bare', /not signed, though earlier ones are must be refused/],
    ['attested', /attested by what nobody signed must be refused/],
  ] as const)
    test(`that serves what its upstream says badly: ${word}`, async () => {
      const tamper: Tamper = (asked, answer) =>
        isTarball(asked) && asked.path.includes(word) && answer.status === 403 ? served : answer
      await assertCaught(signatures, why, { tamper })
    })

  test('that lists what its upstream signed badly', async () => {
    const tamper: Tamper = (asked, answer) => (isDocument(asked) ? fromUpstream(asked.path) : answer)
    await assertCaught(signatures, /signed for another version must not be listed/, { tamper })
  })

  test('that hands on its upstream’s signature and makes none', async () => {
    const tamper: Tamper = async (asked, answer) => {
      if (!isDocument(asked)) return answer
      const theirs = JSON.parse((await fromUpstream(asked.path)).body.toString())
      const { signatures: given } = theirs.versions?.['1.0.0']?.dist ?? {}
      return dist(answer, each => ({ ...each, signatures: given }))
    }
    await assertCaught(signatures, /must go out with a signature/, { tamper })
  })

  test('that signs only what comes from upstream', async () => {
    const tamper: Tamper = (asked, answer) =>
      isDocument(asked) && asked.path.endsWith('ours')
        ? dist(answer, ({ signatures: _, ...each }) => each)
        : answer
    await assertCaught(signatures, /ours must go out with a signature/, { tamper })
  })

  test('that signs other bytes than it serves', async () => {
    const tamper: Tamper = (asked, answer) => (isTarball(asked) && answer.status === 200 ? served : answer)
    await assertCaught(signatures, /must be that of its bytes/, { tamper })
  })
})

describe('the probe of takedowns notices an instance', { concurrency: 2 }, () => {
  test('that believes an unchanged ETag', async () => {
    const operate = async (other: ProbeInstance, args: readonly string[]) =>
      args[0] === 'check-upstream' ? '' : other.operate(...args)
    await assertCaught(takedown, /bytes of a version that was removed upstream must be refused/, { operate })
  })

  test('that serves on what has other bytes upstream now', async () => {
    const tamper: Tamper = (asked, answer) =>
      isTarball(asked) && asked.path.includes('changed') ? served : answer
    await assertCaught(takedown, /was given other bytes upstream must be refused/, { tamper })
  })

  test('that lists on what was marked as malware', async () => {
    const tamper: Tamper = (asked, answer) =>
      isDocument(asked) && asked.path.includes('marked') ? fromUpstream(asked.path) : answer
    await assertCaught(takedown, /marked as malware upstream must leave the packument/, { tamper })
  })

  test('that opens no case', async () => {
    const tamper: Tamper = (asked, answer) => (asked.path === '/operate/cases' ? served : answer)
    await assertCaught(takedown, /must be a case/, { tamper })
  })

  test('that does not know who has it', async () => {
    const tamper: Tamper = (asked, answer) => (/\/cases\/case-/.test(asked.path) ? served : answer)
    await assertCaught(takedown, /must list who fetched it/, { tamper })
  })
})

describe('the probe of the release age notices an instance', { concurrency: 2 }, () => {
  test('that lists what is fresh', async () => {
    const tamper: Tamper = (asked, answer) => (isDocument(asked) ? fromUpstream(asked.path) : answer)
    await assertCaught(fixAwareAge, /versions of today must wait/, { tamper })
  })

  test('that serves fresh bytes by their address', async () => {
    const tamper: Tamper = (asked, answer) => (isTarball(asked) ? served : answer)
    await assertCaught(fixAwareAge, /bytes of a version of today must wait/, { tamper })
  })

  test('that makes fixes wait too', async () => {
    const operate = async (other: ProbeInstance, args: readonly string[]) =>
      args[0] === 'advisories' ? '' : other.operate(...args)
    await assertCaught(fixAwareAge, /a fix must pass at once/, { operate })
  })

  for (const [word, why] of [
    ['stale', /the advisory is old/],
    ['script', /brings an install script/],
    ['stranger', /somebody else published it/],
    ['grown', /brings a dependency/],
  ] as const)
    test(`that lets in what claims to be a fix: ${word}`, async () => {
      let isTold = false
      const operate = async (other: ProbeInstance, args: readonly string[]) => {
        isTold ||= args[0] === 'advisories'
        return other.operate(...args)
      }
      const tamper: Tamper = (asked, answer) =>
        isTold && isTarball(asked) && asked.path.includes(word) ? served : answer
      await assertCaught(fixAwareAge, why, { tamper, operate })
    })

  test('where a waiver has no end', async () => {
    let isWaived = false
    const tamper: Tamper = (asked, answer) => {
      isWaived ||= asked.path === '/operate/waivers'
      return isWaived && isTarball(asked) ? served : answer
    }
    await assertCaught(fixAwareAge, /must end on its date/, { tamper })
  })
})

describe('the probe of refusals notices an instance', { concurrency: 2 }, () => {
  /** The answer with words of it taken out. */
  const without = (isOn: (asked: Asked) => boolean, words: RegExp) => {
    const tamper: Tamper = (asked, answer) =>
      isOn(asked) ? { ...answer, body: Buffer.from(answer.body.toString().replace(words, '…')) } : answer
    return { tamper }
  }
  const isWhy = ({ path }: Asked) => path.startsWith('/api/v1/why/')
  const isPage = ({ path }: Asked) => path.startsWith('/why/')

  test('whose answer to npm names no rule', async () => {
    await assertCaught(explain, /young must say by which rule/, without(isTarball, /\(rule [^)]+\)/g))
  })

  test('whose answer to npm names nothing to use instead', async () => {
    await assertCaught(explain, /must say what to use instead/, without(isTarball, /instead: 1\.0\.0/g))
  })

  test('whose answer to npm leads nowhere', async () => {
    await assertCaught(explain, /must say where to read more/, without(isTarball, /\/why\/npm/g))
  })

  test('that hides versions without a word in the packument', async () => {
    const tamper: Tamper = (asked, answer) =>
      isDocument(asked) ? changed(answer, ({ policyRestrictions: _, ...rest }) => rest) : answer
    await assertCaught(explain, /must tell npm why/, { tamper })
  })

  test('that names the wrong rule', async () => {
    const tamper: Tamper = (asked, answer) =>
      isWhy(asked)
        ? changed(answer, told => ({ ...told, rule: told['rule'] === 'deny' ? 'policy' : told['rule'] }))
        : answer
    await assertCaught(explain, /the rule must be 'deny'/, { tamper })
  })

  test('that promises a waiver for malware', async () => {
    const tamper: Tamper = (asked, answer) =>
      isWhy(asked) ? changed(answer, told => ({ ...told, waivable: true })) : answer
    await assertCaught(explain, /told of one that is malware/, { tamper })
  })

  test('whose page does not say how to ask', async () => {
    await assertCaught(
      explain,
      /page of a version that is young must say how to ask/,
      without(isPage, /waiver ask/g),
    )
  })
})

test('the probe of the gate notices tags of an upstream’s package that go on as before the quarantine', async () => {
  const tamper: Tamper = (asked, answer) =>
    asked.path.endsWith('/dist-tags') ? json({ latest: '1.0.1' }) : answer
  await assertCaught(oneGate, /the list of tags must hide/, { tamper })
})
