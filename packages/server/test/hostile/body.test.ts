// SPDX-License-Identifier: Apache-2.0
/** Publish documents that lie, break off, or are made to hurt. Each is refused in words, and nothing of it is stored. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Live, publishDocument, put, startLive, tokenOf } from '../live.ts'
import { request } from '../request.ts'
import { leavesNothing, refuses } from './trace.ts'

let live: Live
before(async () => {
  live = await startLive({ flags: { maxTarballBytes: String(1024 * 1024) } })
})
after(() => live.stop())

type Document = ReturnType<typeof publishDocument>

/** A good document of `bad`, with one thing changed. */
function spoil(change: (document: Document & Record<string, unknown>) => void): unknown {
  const document = publishDocument('bad', '1.0.0') as Document & Record<string, unknown>
  change(document)
  return document
}

function attachment(document: Document) {
  return document._attachments['bad-1.0.0.tgz'] as { data: string; length: number }
}

function manifestOf(document: Document) {
  return document.versions['1.0.0'] as unknown as Record<string, unknown> & { dist: Record<string, unknown> }
}

const badRequest = { status: 400 }

const spoiled: Readonly<Record<string, [unknown, { status: number; code?: string }]>> = {
  'claims fewer bytes than it has': [spoil(d => (attachment(d).length -= 1)), badRequest],
  'claims more bytes than it has': [spoil(d => (attachment(d).length += 1)), badRequest],
  'claims another integrity': [
    spoil(d => (manifestOf(d).dist['integrity'] = `sha512-${Buffer.alloc(64).toString('base64')}`)),
    { status: 400, code: 'digest-mismatch' },
  ],
  'claims another shasum': [
    spoil(d => (manifestOf(d).dist['shasum'] = '0'.repeat(40))),
    { status: 400, code: 'digest-mismatch' },
  ],
  'has an integrity that is no integrity': [
    spoil(d => (manifestOf(d).dist['integrity'] = 'sha512-!')),
    badRequest,
  ],
  'has base64 that is none': [spoil(d => (attachment(d).data = '!!!!')), badRequest],
  'has base64 that breaks off': [
    spoil(d => (attachment(d).data = attachment(d).data.slice(0, -3))),
    badRequest,
  ],
  'has URL base64': [spoil(d => (attachment(d).data = 'ab-_')), badRequest],
  'has no data': [spoil(d => (attachment(d).data = '')), badRequest],
  'has a number for data': [spoil(d => Object.assign(attachment(d), { data: 5 })), badRequest],
  'has a list for attachments': [spoil(d => Object.assign(d, { _attachments: [] })), badRequest],
  'has null for a version': [spoil(d => Object.assign(d.versions, { '1.0.0': null })), badRequest],
  'has a list for versions': [spoil(d => Object.assign(d, { versions: [] })), badRequest],
  'has no version': [spoil(d => Object.assign(d, { versions: {} })), badRequest],
  'has two versions': [
    spoil(d => Object.assign(d.versions, { '2.0.0': { ...manifestOf(d), version: '2.0.0' } })),
    badRequest,
  ],
  'has two tags': [spoil(d => Object.assign(d['dist-tags'], { next: '1.0.0' })), badRequest],
  'has a tag that is a version': [
    spoil(d => Object.assign(d, { 'dist-tags': { '1.0.0': '1.0.0' } })),
    badRequest,
  ],
  'has a tag that is a range': [
    spoil(d => Object.assign(d, { 'dist-tags': { '>=1': '1.0.0' } })),
    badRequest,
  ],
  'has a tag with a NUL': [spoil(d => Object.assign(d, { 'dist-tags': { 'a\0': '1.0.0' } })), badRequest],
  'has a tag for another version': [
    spoil(d => Object.assign(d, { 'dist-tags': { latest: '9.9.9' } })),
    badRequest,
  ],
  'is of another name': [spoil(d => (d.name = 'other')), badRequest],
  'has a manifest of another name': [spoil(d => (manifestOf(d)['name'] = 'other')), badRequest],
  'has a manifest of another version': [spoil(d => (manifestOf(d)['version'] = '1.0.1')), badRequest],
  'has a manifest unlike the one in its tarball': [
    spoil(d => (manifestOf(d)['dependencies'] = { evil: '*' })),
    { status: 400, code: 'manifest-mismatch' },
  ],
  'has a script that its tarball does not show': [
    spoil(d => (manifestOf(d)['scripts'] = { install: 'sh' })),
    { status: 400, code: 'manifest-mismatch' },
  ],
  'has an access that is none': [spoil(d => Object.assign(d, { access: 'everybody' })), badRequest],
  'is a list': [[], badRequest],
  'is a word': ['"text"', badRequest],
  'is nothing': ['', badRequest],
  'is not JSON': ['{"name": bad}', badRequest],
  'is not UTF-8': [Buffer.from('{"name":"b\xff"}', 'latin1'), badRequest],
  'is nested too deep': [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, badRequest],
  'says its name twice': [
    JSON.stringify(publishDocument('bad', '1.0.0')).replace('{', '{"name":"evil",'),
    badRequest,
  ],
}

for (const [what, [document, wanted]] of Object.entries(spoiled)) {
  test(`a publish that ${what} is refused`, () => refuses(live, 'bad', document, wanted))
}

const badVersions = [
  '1',
  '1.0',
  '1.0.0.0',
  'v1.0.0',
  '01.0.0',
  '1.0.0-',
  '../1.0.0',
  '1.0.0\0',
  'latest',
  '9'.repeat(300),
  '1.0.0+build+x',
  '__proto__',
]
for (const version of badVersions) {
  test(`the version ${JSON.stringify(version).slice(0, 20)} cannot be published`, () =>
    refuses(live, 'bad', publishDocument('bad', version), badRequest))
}

const badNames = [
  '../x',
  'a/b',
  '.hidden',
  '_private',
  'UPPER',
  'node_modules',
  'favicon.ico',
  'http',
  'a b',
  'ünï',
  'a\0b',
  '@x',
  '@/x',
  'x'.repeat(215),
  '%2e%2e',
]
for (const name of badNames) {
  test(`the name ${JSON.stringify(name).slice(0, 20)} cannot be published`, async () => {
    await leavesNothing(live, async () => {
      const path = `/npm/${encodeURIComponent(name)}`
      const headers = { authorization: `Bearer ${live.token}`, 'content-type': 'application/json' }
      const answer = await request(
        live.url,
        'PUT',
        path,
        headers,
        JSON.stringify(publishDocument(name, '1.0.0')),
      )
      assert.ok([400, 404, 405].includes(answer.status), `${answer.status} ${answer.body}`)
      assert.match(JSON.parse(answer.body.toString()).error, /\S+ \S+/)
    })
  })
}

test('a prototype key reaches no object, neither as a key nor escaped', async () => {
  const text = JSON.stringify(publishDocument('polluter', '1.0.0'))
  for (const key of ['__proto__', '\\u005f_proto__', 'constructor']) {
    const value = key === 'constructor' ? '{"prototype":{"polluted":1}}' : '{"polluted":1,"isAdmin":true}'
    const answer = await put(live, 'polluter', text.replace('{', `{"${key}":${value},`))
    await answer.text()
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  }
  const shown = await (await fetch(`${live.url}/npm/polluter`)).text()
  assert.doesNotMatch(shown, /polluted|isAdmin/)
})

test('a tarball over the limit is refused before it is whole', () =>
  refuses(live, 'bad', publishDocument('bad', '1.0.0', { tarball: Buffer.alloc(1024 * 1024 + 1) }), {
    status: 413,
  }))

test('a body far over the limit is refused, and the answer arrives', () =>
  refuses(live, 'bad', Buffer.alloc(80 * 1024 * 1024, ' '), {
    status: 413,
    code: 'body-too-large',
    says: /larger than \d+ bytes/,
  }))

test('garbage in the middle of a large body is answered, not cut off', () =>
  refuses(
    live,
    'bad',
    spoil(d => (attachment(d).data = `${'A'.repeat(600_000)}!${'A'.repeat(600_003)}`)),
    badRequest,
  ))

test('a body without a length that never ends is cut off', async () => {
  await leavesNothing(live, async () => {
    const piece = Buffer.alloc(64 * 1024, 'A')
    const headers = { authorization: `Bearer ${live.token}` }
    const sent = httpRequest(`${live.url}/npm/bad`, { method: 'PUT', headers })
    let status: number | undefined
    sent.on('response', answer => {
      status = answer.statusCode
    })
    sent.on('error', () => {})
    while (status === undefined && !sent.closed) {
      sent.write(piece)
      // Its 64 KiB go out before the next ones are made, so that only the server can be what grows.
      await new Promise(resolve => setImmediate(resolve))
      if (sent.writableNeedDrain) await Promise.race([once(sent, 'drain'), once(sent, 'close')])
    }
    sent.destroy()
    assert.ok([undefined, 400, 413].includes(status), `answered ${status}`)
  })
})

test('a gzip bomb for a body is cut off where it passes the limit', async () => {
  await leavesNothing(live, async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
    const headers = { authorization: `Bearer ${live.token}`, 'content-encoding': 'gzip' }
    const answer = await request(live.url, 'PUT', '/npm/bad', headers, bomb)
    assert.equal(answer.status, 413)
  })
})

test('a body that is not the gzip it says it is, or breaks off in it, is refused', async () => {
  const bodies = [Buffer.from('not gzip'), gzipSync(Buffer.alloc(1000)).subarray(0, 20)]
  for (const body of bodies) {
    await leavesNothing(live, async () => {
      const headers = { authorization: `Bearer ${live.token}`, 'content-encoding': 'gzip' }
      const answer = await request(live.url, 'PUT', '/npm/bad', headers, body)
      assert.equal(answer.status, 400)
    })
  }
})

test('a body in an encoding nobody speaks is refused', async () => {
  await leavesNothing(live, async () => {
    const headers = { authorization: `Bearer ${live.token}`, 'content-encoding': 'br' }
    assert.equal((await request(live.url, 'PUT', '/npm/bad', headers, 'x')).status, 400)
  })
})

test('nobody, a stranger, and a token that is none publish nothing', async () => {
  await (await put(live, 'owned', publishDocument('owned', '1.0.0'))).text()
  const stranger = await tokenOf(live.ports, 'mallory')
  const large = publishDocument('owned', '2.0.0', { tarball: Buffer.alloc(1024 * 1024) })
  for (const document of [publishDocument('owned', '2.0.0'), large]) {
    await leavesNothing(live, async () => {
      for (const [token, statuses] of [
        ['', [401]],
        [stranger, [403]],
        [`${live.token.slice(0, -1)}${live.token.endsWith('x') ? 'y' : 'x'}`, [401]],
        ['x'.repeat(5000), [401]],
      ] as const) {
        const answer = await put({ url: live.url, token }, 'owned', document)
        assert.ok(
          (statuses as readonly number[]).includes(answer.status),
          `${answer.status} ${await answer.text()}`,
        )
      }
    })
  }
})

test('text with a NUL, in a description, keyword or readme, does no harm', async () => {
  const manifest = { description: 'a\0b', keywords: ['c\0d', 'e'], readme: 'f\0g' }
  const answer = await put(
    live,
    'with-nul',
    publishDocument('with-nul', '1.0.0', { manifest, files: { 'README.md': 'h\0i' } }),
  )
  assert.equal(answer.status, 201, await answer.text())
  assert.equal((await fetch(`${live.url}/npm/with-nul`)).status, 200)
  assert.deepEqual(live.errors, [])
})

test('a dependency whose name is none does no harm', async () => {
  const manifest = { dependencies: { 'a\0b': '*', '../c': '*' } }
  const answer = await put(live, 'odd-needs', publishDocument('odd-needs', '1.0.0', { manifest }))
  assert.equal(answer.status, 201, await answer.text())
  assert.deepEqual(live.errors, [])
})

test('forty thousand dependencies are kept', async () => {
  const dependencies = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`dep-${index}`, '*']))
  const answer = await put(live, 'hungry', publishDocument('hungry', '1.0.0', { manifest: { dependencies } }))
  assert.equal(answer.status, 201, await answer.text())
  assert.deepEqual(live.errors, [])
})

test('text with half a surrogate pair does no harm', async () => {
  const manifest = { description: 'a\ud800b', keywords: ['\udfff'] }
  const answer = await put(live, 'half-pair', publishDocument('half-pair', '1.0.0', { manifest }))
  assert.ok(answer.status === 201 || answer.status === 400, await answer.text())
  assert.deepEqual(live.errors, [])
})
