// SPDX-License-Identifier: Apache-2.0
/** Registries that are not ours, looked at from outside: each lacks or breaks one thing, and is seen to. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type CapabilityId, capabilities } from '@holdfast/core'
import { weigh } from './assessment.ts'
import { listGaps } from './gap.ts'
import { formatAssessmentHtml } from './html.ts'
import { lookFromOutside } from './outside.ts'
import { outsideProbes } from './outside-list.ts'
import { formatQuestionnaire, parseQuestionnaire, unanswered } from './questionnaire.ts'
import { openTarget } from './target.ts'

const bytes = Buffer.from('the bytes of a tarball')
const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
const sig = sign('sha256', Buffer.from(`widget@1.0.0:${integrity}`), privateKey).toString('base64')

type Answers = Readonly<Record<string, unknown>>

/** A registry that speaks just enough of npm's protocol; `but` says what it answers otherwise. */
async function startRegistry(t: TestContext, but: Answers = {}): Promise<string> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const answer = path in but ? but[path] : good(`http://${request.headers.host}`)[path]
    if (answer === undefined) return response.writeHead(404).end('{}')
    response.end(typeof answer === 'string' || Buffer.isBuffer(answer) ? answer : JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function good(origin: string): Answers {
  const dist = { integrity, tarball: `${origin}/widget.tgz`, signatures: [{ keyid: 'one', sig }] }
  return {
    '/-/ping': {},
    '/-/v1/search': { objects: [{ package: { name: 'widget' } }, { package: { name: '../etc' } }] },
    '/widget': { 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': { dist } } },
    '/widget.tgz': bytes,
    '/-/npm/v1/keys': { keys: [{ keyid: 'one', key }] },
    '/-/npm/v1/security/advisories/bulk': { minimist: [{ id: 1 }] },
    '/.well-known/security.txt': `Contact: mailto:a@b.example\nExpires: 2999-01-01T00:00:00Z\nPolicy: ${origin}/policy\n`,
    '/policy': 'Tell us.',
  }
}

async function look(url: string, packages: readonly string[] = []) {
  return lookFromOutside(await openTarget(url, packages), outsideProbes)
}

test('what anybody can see of a registry passes, fails, or is left to who knows', async t => {
  const seen = await look(await startRegistry(t))
  const statusOf = (id: CapabilityId) => seen.get(id)?.status
  assert.deepEqual(
    (['general-1-vdp', 'cli-2-warn', 'general-3-log', 'authn-3-passkeys', 'beyond-signatures'] as const).map(
      statusOf,
    ),
    ['pass', 'pass', 'fail', 'fail', 'unseen'],
  )
  assert.match(
    seen.get('beyond-signatures')?.evidence.join() ?? '',
    /signed by a published key: widget@1\.0\.0/,
  )
})

const broken: readonly (readonly [string, CapabilityId, RegExp, Answers])[] = [
  [
    'a security.txt that is over',
    'general-1-vdp',
    /ended 2020/,
    {
      '/.well-known/security.txt':
        'Contact: mailto:a@b.example\nExpires: 2020-01-01T00:00:00Z\nPolicy: /policy\n',
    },
  ],
  ['a policy that is not there', 'general-1-vdp', /answers 404/, { '/policy': undefined }],
  [
    'a page of words instead of security.txt',
    'general-1-vdp',
    /no field contact/,
    {
      '/.well-known/security.txt': '<html>Not found</html>',
    },
  ],
  ['bytes that are others', 'cli-1-pin', /bytes of widget@1\.0\.0/, { '/widget.tgz': 'other' }],
  [
    'an audit that knows nothing',
    'cli-2-warn',
    /knows nothing/,
    { '/-/npm/v1/security/advisories/bulk': {} },
  ],
  [
    'keys that signed nothing',
    'beyond-signatures',
    /no published key/,
    {
      '/-/npm/v1/keys': { keys: [{ keyid: 'one', key: 'bm90IGEga2V5' }] },
    },
  ],
]

for (const [what, id, why, but] of broken)
  test(`${what} is seen to fail`, async t => {
    const sight = (await look(await startRegistry(t, but))).get(id)
    assert.equal(sight?.status, 'fail')
    assert.match(sight.evidence.join(), why)
  })

test('answers fill in what was not seen, need a link, and do not outweigh what was seen', async t => {
  const seen = await look(await startRegistry(t))
  const evidence = ['https://registry.example/totp']
  const said = parseQuestionnaire(
    JSON.stringify({
      taxonomy: { 'built-packages': false },
      capabilities: {
        'authn-1-totp': { isMet: true, words: 'since 2024 <b>', evidence },
        'general-3-log': { isMet: true, evidence },
        'general-2-report': { isMet: false },
        'cli-3-sbom': { isMet: null },
      },
    }),
  )
  const result = weigh(seen, said)
  const of = (id: string) => result.capabilities.find(each => each.id === id)
  assert.deepEqual(
    ['authn-1-totp', 'general-3-log', 'general-2-report', 'cli-3-sbom', 'authz-1-prefix'].map(
      id => of(id)?.status,
    ),
    ['pass', 'fail', 'fail', 'missing', 'not-applicable'],
  )
  const page = formatAssessmentHtml(result, { subject: 'https://"><script>', at: new Date(0) })
  assert.doesNotMatch(page, /<script|<b>/)
  assert.match(page, /<a rel="noreferrer" href="https:\/\/registry\.example\/totp">/)
})

test('the file to fill in can be given back as it is, and every fault in one is named at once', () => {
  assert.equal(parseQuestionnaire(formatQuestionnaire()).answers.size, 0)
  const faulty = {
    taxonomy: { accounts: 'yes' },
    capabilities: {
      'authn-1-totp': { isMet: true, evidence: [] },
      'authn-9-nothing': { isMet: true, evidence: ['https://a.example'] },
      'cli-1-pin': { isMet: true, evidence: ['javascript:alert(1)'] },
    },
  }
  assert.throws(() => parseQuestionnaire(JSON.stringify(faulty)), {
    message: /authn-1-totp.*authn-9-nothing.*cli-1-pin.*accounts/,
  })
  assert.throws(() => parseQuestionnaire('{'), { message: /no JSON/ })
})

test('gaps begin with what lifts a track to its next level for the least work', () => {
  const result = weigh(new Map(), unanswered)
  const gaps = listGaps(result)
  assert.equal(gaps.length, capabilities.length)
  assert.deepEqual(
    gaps.slice(0, 2).map(({ effort, capability }) => [effort, capability.level]),
    [
      ['hours', 1],
      ['hours', 1],
    ],
  )
  assert.equal(gaps.at(-1)?.capability.track, 'beyond')
})

test('an address where nothing speaks npm is a fault of the command line', async t => {
  const silent = await startRegistry(t, { '/-/ping': undefined })
  await assert.rejects(openTarget(silent, []), { message: /does not speak npm's protocol/ })
  await assert.rejects(openTarget('registry.example', []), { message: /no address/ })
  const url = await startRegistry(t)
  await assert.rejects(openTarget(url, ['widget', 'gone']), { message: /does not show every package/ })
})
