// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isProblem } from '@holdfast/core'
import fc from 'fast-check'
import { streamOf } from '../../../test/fixture/tarball.ts'
import type { BlobWriter } from '../../ports.ts'
import { defaultPublishBodyLimits, type PublishBody, readPublishBody } from './publish-body.ts'

/** Writers that keep what they get, and know whether it was discarded. */
class Shelf {
  readonly written: Buffer[][] = []
  discarded = 0

  readonly begin = async (): Promise<BlobWriter> => {
    const parts: Buffer[] = []
    this.written.push(parts)
    const write = async (chunk: Uint8Array) => void parts.push(Buffer.from(chunk))
    const discard = async () => void this.discarded++
    return { write, discard } as unknown as BlobWriter
  }

  bytes(at = 0): Buffer {
    return Buffer.concat(this.written[at] ?? [])
  }
}

function read(body: string | Buffer, shelf = new Shelf(), size?: number): Promise<PublishBody> {
  return readPublishBody(streamOf(Buffer.from(body), size), defaultPublishBodyLimits, shelf.begin)
}

const tarball = randomBytes(1000)
const base64 = tarball.toString('base64')

function bodyWith(attachments: string, rest = ''): string {
  return `{"name":"a","_attachments":{${attachments}}${rest}}`
}

function bodyWithData(data: string): string {
  return bodyWith(`"a-1.0.0.tgz":{"data":"${data}"}`)
}

test('a body is taken apart into document, tarballs and texts', async () => {
  const shelf = new Shelf()
  const bundle = '{"mediaType":"é"}'
  const document = {
    _id: '@s/a',
    versions: { '1.0.0': { name: '@s/a', readme: 'a "quoted" \\ text €' } },
    _attachments: {
      '@s/a-1.0.0.tgz': { content_type: 'application/octet-stream', data: base64, length: 1000 },
      '@s/a-1.0.0.sigstore': { content_type: 'application/json', data: bundle, length: bundle.length },
    },
  }
  const body = await read(JSON.stringify(document), shelf)
  assert.deepEqual(shelf.bytes(), tarball)
  assert.deepEqual(body.document, {
    ...document,
    _attachments: {
      ...document._attachments,
      '@s/a-1.0.0.tgz': { content_type: 'application/octet-stream', data: '', length: 1000 },
    },
  })
  assert.deepEqual(
    body.tarballs.map(({ writer: _writer, ...rest }) => rest),
    [{ name: '@s/a-1.0.0.tgz', contentType: 'application/octet-stream', claimedLength: 1000 }],
  )
  assert.deepEqual(body.texts, [
    { name: '@s/a-1.0.0.sigstore', contentType: 'application/json', data: bundle },
  ])
  assert.equal(shelf.discarded, 0)
})

test('a body without attachments is only a document', async () => {
  const shelf = new Shelf()
  const body = await read('{"_id":"a","versions":{}}', shelf)
  assert.deepEqual(body, { document: { _id: 'a', versions: {} }, tarballs: [], texts: [] })
  assert.equal(shelf.written.length, 0)
})

test('the order of keys does not matter', async () => {
  const shelf = new Shelf()
  const body = await read(
    `{"_attachments":{"x.tgz":{"length":1000,"data":"${base64}","content_type":"t"}},"name":"a"}`,
    shelf,
  )
  assert.deepEqual(shelf.bytes(), tarball)
  assert.deepEqual(
    body.tarballs.map(one => [one.name, one.contentType, one.claimedLength]),
    [['x.tgz', 't', 1000]],
  )
})

test('escapes in keys and in base64 mean what they mean in JSON', async () => {
  const shelf = new Shelf()
  const escaped = base64.replaceAll('/', '\\/').replaceAll('+', '\\u002b')
  for (const size of [1, 2, 3, 5, 64]) {
    await read(`{"\\u005fattachments":{"a\\u002etgz":{"d\\u0061ta":"${escaped}"}}}`, shelf, size)
    assert.deepEqual(shelf.bytes(shelf.written.length - 1), tarball)
  }
})

test('several tarballs go to a writer each', async () => {
  const shelf = new Shelf()
  const body = await read(bodyWith(`"a.tgz":{"data":"YQ=="},"b.tgz":{"data":"Yg=="}`), shelf)
  assert.deepEqual(
    body.tarballs.map(one => one.name),
    ['a.tgz', 'b.tgz'],
  )
  assert.deepEqual([shelf.bytes(0).toString(), shelf.bytes(1).toString()], ['a', 'b'])
})

test('what only looks like an attachment stays in the document', async () => {
  const inner = '{"_attachments":{"a.tgz":{"data":"YQ=="}}}'
  for (const text of [
    `{"versions":${inner}}`,
    `{"versions":{"_attachments":{"data":"YQ=="}}}`,
    `{"readme":${JSON.stringify(inner)}}`,
    `{"a":[${inner}]}`,
    `{"_attachment":{"a.tgz":{"data":"YQ=="}}}`,
    `{"_attachments":{},"x":{"a.tgz":{"data":"YQ=="}}}`,
  ]) {
    const shelf = new Shelf()
    const body = await read(text, shelf)
    assert.deepEqual(body, { document: JSON.parse(text), tarballs: [], texts: [] })
    assert.equal(shelf.written.length, 0)
  }
})

test('an attachment that is no tarball stays text, whatever it says', async () => {
  const shelf = new Shelf()
  const body = await read(bodyWith('"a.tgz.sigstore":{"data":"YQ=="},"a.TGZ":{"data":"x","length":1}'), shelf)
  assert.deepEqual(
    body.texts.map(text => text.data),
    ['YQ==', 'x'],
  )
  assert.equal(shelf.written.length, 0)
})

test('keys that reach a prototype are dropped', async () => {
  const body = await read(
    '{"__proto__":{"x":1},"versions":{"1.0.0":{"__proto__":{"x":1},"constructor":{"prototype":{}}}}}',
  )
  assert.deepEqual(Object.keys(body.document), ['versions'])
  assert.deepEqual(body.document['versions'], { '1.0.0': {} })
})

const invalid: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['nothing', ''],
  ['a list', '[]'],
  ['text', '"a"'],
  ['null', 'null'],
  ['not JSON', 'name=a&version=1'],
  ['two documents', '{}{}'],
  ['an attachment in a second document', `{}${bodyWithData(base64)}`],
  ['cut in the structure', bodyWithData(base64).slice(0, -1)],
  ['cut in the base64', bodyWithData(base64).slice(0, 500)],
  ['cut in a string', '{"a":"b'],
  ['not UTF-8', Buffer.from('{"a":"\xe9"}', 'latin1')],
  ['nested deeply', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ['a key twice', '{"name":"a","name":"b"}'],
  ['attachments twice', `{"_attachments":{},"_attachments":{"a.tgz":{"data":"YQ=="}}}`],
  ['a tarball twice', bodyWith(`"a.tgz":{"data":"YQ=="},"a.tgz":{"data":"YQ=="}`)],
  ['data twice', bodyWith(`"a.tgz":{"data":"YQ==","data":"Yg=="}`)],
  ['data twice, once escaped', bodyWith(`"a.tgz":{"data":"YQ==","\\u0064ata":"Yg=="}`)],
  ['data twice, once a number', bodyWith(`"a.tgz":{"data":"YQ==","data":5}`)],
  ['attachments that are a list', '{"_attachments":[]}'],
  ['an attachment that is text', bodyWith('"a.tgz":"YQ=="')],
  ['an attachment that is a list', bodyWith('"a.tgz":[{"data":"YQ=="}]')],
  ['a tarball without data', bodyWith('"a.tgz":{"length":3}')],
  ['a tarball with a number for data', bodyWith('"a.tgz":{"data":5}')],
  ['a tarball with data in a list', bodyWith('"a.tgz":{"data":["YQ=="]}')],
  ['a text without data', bodyWith('"a.sigstore":{"length":3}')],
  ['a tarball that claims to be longer', bodyWith('"a.tgz":{"data":"YQ==","length":2}')],
  ['a tarball that claims to be shorter', bodyWith('"a.tgz":{"length":0,"data":"YQ=="}')],
  ['a length that is text', bodyWith('"a.tgz":{"data":"YQ==","length":"1"}')],
  ['a text that claims to be longer', bodyWith('"a.sigstore":{"data":"abc","length":4}')],
  [
    'too many tarballs',
    bodyWith(Array.from({ length: 17 }, (_, at) => `"${at}.tgz":{"data":"YQ=="}`).join(',')),
  ],
  ['a bad escape in a key', `{"\\x":1}`],
  ['base64 with a space', bodyWithData('YW Jj')],
  ['base64 with a line break', bodyWithData('YWJj\\nYWJj')],
  ['base64 with a raw line break', bodyWithData('YWJj\nYWJj')],
  ['base64 of the URL alphabet', bodyWithData('YW-_')],
  ['base64 of the URL alphabet, escaped', bodyWithData('YW\\u002d\\u005f')],
  ['base64 without its padding', bodyWithData('YQ')],
  ['base64 with too little padding', bodyWithData('YQ=')],
  ['base64 with too much padding', bodyWithData('YQ====')],
  ['base64 with one character', bodyWithData('Y')],
  ['base64 with padding in the middle', bodyWithData('YQ==YQ==')],
  ['base64 with padding only', bodyWithData('====')],
  ['base64 with stray bits', bodyWithData('YR==')],
  ['base64 with other signs', bodyWithData('YW*j')],
  ['base64 with other letters', bodyWithData('YWéj')],
  ['base64 with an escaped quote', bodyWithData('YWJj\\"YWJj')],
  ['base64 that ends in a backslash', bodyWithData('YWJj\\')],
  ['base64 with half an escape', bodyWithData('YWJj\\u00')],
  ['base64 with another escape', bodyWithData('YWJj\\b')],
  ['base64 with a NUL', bodyWithData('YWJ\0')],
]

for (const [what, body] of invalid) {
  test(`a body is refused: ${what}`, async () => {
    for (const size of [1, 7, 64 * 1024]) {
      const shelf = new Shelf()
      await assert.rejects(read(body, shelf, size), { code: 'invalid-body' })
      assert.equal(shelf.discarded, shelf.written.length)
    }
  })
}

test('a body over the limit is refused at once, and what was written is discarded', async () => {
  let sent = 0
  const endless = async function* () {
    yield Buffer.from('{"_attachments":{"a.tgz":{"data":"')
    for (;;) yield Buffer.alloc(1000, 'A').subarray(0, Math.min(1000, 10_000 + sent++))
  }
  const shelf = new Shelf()
  const limits = { maxBodyBytes: 10_000, maxDocumentBytes: 10_000 }
  await assert.rejects(readPublishBody(endless(), limits, shelf.begin), {
    code: 'body-too-large',
    data: { limit: 10_000 },
  })
  assert.equal(sent, 10)
  assert.equal(shelf.discarded, 1)
})

test('a document over its own limit is refused, a tarball of that size is not', async () => {
  const limits = { maxBodyBytes: 1_000_000, maxDocumentBytes: 500 }
  const long = `{"readme":"${'a'.repeat(600)}"}`
  await assert.rejects(readPublishBody(streamOf(Buffer.from(long)), limits, new Shelf().begin), {
    code: 'body-too-large',
    data: { limit: 500 },
  })
  const shelf = new Shelf()
  await readPublishBody(streamOf(Buffer.from(bodyWithData(base64))), limits, shelf.begin)
  assert.deepEqual(shelf.bytes(), tarball)
})

test('when the client goes away everything written is discarded', async () => {
  const broken = async function* () {
    yield Buffer.from(bodyWithData(base64).slice(0, 300))
    throw new Error('aborted')
  }
  const shelf = new Shelf()
  await assert.rejects(readPublishBody(broken(), defaultPublishBodyLimits, shelf.begin), {
    message: 'aborted',
  })
  assert.equal(shelf.discarded, 1)
})

test('when a writer fails all writers are discarded, also those that fail at it', async () => {
  let discarded = 0
  const begin = async () =>
    ({
      write: async () => {
        throw new Error('disk full')
      },
      discard: async () => {
        discarded++
        throw new Error('disk gone')
      },
    }) as unknown as BlobWriter
  await assert.rejects(
    readPublishBody(streamOf(Buffer.from(bodyWithData(base64))), defaultPublishBodyLimits, begin),
    { message: 'disk full' },
  )
  assert.equal(discarded, 1)
})

test('a body reads the same however it is cut', async () => {
  const attachments =
    '"é.tgz":{"\\u0064ata":"YWJj\\/2Q=","length":5},"b.sigstore":{"data":"\\\\\\"{}","length":4}'
  const text = Buffer.from(
    bodyWith(attachments, ',"versions":{"1":{"readme":"\\\\"},"2":["€",{"data":"\\""}]}'),
  )
  const shelf = new Shelf()
  const { writer: _writer, ...whole } = (await read(text, shelf)).tarballs[0] as object as Record<
    string,
    unknown
  >
  const { document, texts } = await read(text)
  for (let cut = 1; cut < text.length; cut++) {
    const own = new Shelf()
    const parts = async function* () {
      yield text.subarray(0, cut)
      yield text.subarray(cut)
    }
    const body = await readPublishBody(parts(), defaultPublishBodyLimits, own.begin)
    assert.deepEqual(body.document, document)
    assert.deepEqual(body.texts, texts)
    assert.deepEqual({ ...body.tarballs[0], writer: undefined }, { ...whole, writer: undefined })
    assert.deepEqual(own.bytes(), shelf.bytes())
  }
})

const json = fc.jsonValue({ maxDepth: 6 })

test('any document comes out as JSON.parse reads it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), json), fc.nat({ max: 50 }), async (value, size) => {
      const text = JSON.stringify(value)
      // Those are dropped, which another test shows.
      fc.pre(!/_attachments|__proto__|constructor/.test(text))
      const body = await read(text, new Shelf(), size + 1)
      assert.deepEqual(body.document, JSON.parse(text))
    }),
    { numRuns: 300 },
  )
})

test('any bytes, any cut: what was attached is what is written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 40 }), async (bytes, size) => {
      const shelf = new Shelf()
      await read(bodyWithData(Buffer.from(bytes).toString('base64')), shelf, size + 1)
      assert.deepEqual(shelf.bytes(), Buffer.from(bytes))
    }),
    { numRuns: 300 },
  )
})

test('a changed body is read or refused, never a crash', async () => {
  const text = Buffer.from(
    bodyWith('"a.tgz":{"data":"YWJjZGVm","length":6},"b.s":{"data":"x"}', ',"versions":{"1":[{}]}'),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: text.length - 1 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 30 }),
      async (at, byte, size) => {
        const changed = Buffer.from(text)
        changed[at] = byte
        const shelf = new Shelf()
        await read(changed, shelf, size + 1).catch(caught => {
          assert.ok(isProblem(caught) && caught.code === 'invalid-body', String(caught))
          assert.equal(shelf.discarded, shelf.written.length)
        })
      },
    ),
    { numRuns: 1000 },
  )
})

test('a body of 200 MB takes no more memory than a small one', async () => {
  const script = fileURLToPath(new URL('../../../test/fixture/publish-large.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script])
  const { writtenBytes, grownBytes } = JSON.parse(stdout)
  assert.equal(writtenBytes, 150_000_000)
  assert.ok(grownBytes < 64 * 1024 * 1024, `${grownBytes} bytes more`)
})
