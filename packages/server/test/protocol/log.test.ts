// SPDX-License-Identifier: Apache-2.0
/** The log over HTTP: what anybody may check, and what of it is not everybody's. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  checkChain,
  decodeBase64,
  decodeBundle,
  hashLeaf,
  parseCheckpoint,
  parseLogProof,
  parseNote,
  parseVerifierKey,
  readLeaf,
  verifyInclusion,
  verifyNote,
  webCrypto,
} from '@holdfast/core'
import { request } from '../request.ts'
import { get } from '../web/site.ts'
import { openWorld, type Reply, type Someone, type World } from '../world.ts'

const utf8 = new TextEncoder()

/** Throws unless the entry is under a checkpoint that the log's key signed; gives what it says. */
async function verify(
  world: World,
  proof: Pick<ReturnType<typeof parseLogProof>, 'entry' | 'index' | 'path' | 'checkpoint'>,
) {
  const note = parseNote(proof.checkpoint)
  await verifyNote(webCrypto, note, [await parseVerifierKey(webCrypto, world.ports.log.vkey)])
  const { origin, size, root } = parseCheckpoint(note.text)
  assert.equal(origin, world.ports.log.origin)
  const leaf = await hashLeaf(webCrypto, proof.entry)
  const { index, path } = proof
  assert.ok(
    await verifyInclusion(webCrypto, { leaf, index, size, path, root }),
    `entry ${index} is not included`,
  )
  return readLeaf(proof.entry)
}

async function sizeOf(world: World): Promise<number> {
  return (await world.ports.log.published())?.size ?? 0
}

describe('a log that everybody may read', async () => {
  const world = await openWorld()
  const alice = await world.someone('alice')
  for (const version of ['1.0.0', '1.1.0']) await world.publish(alice, '@acme/ui', version)
  await world.publish(alice, 'left', '1.0.0')
  const size = await sizeOf(world)
  after(async () => {
    assert.deepEqual(world.errors, [])
    await world.close()
  })

  test('the checkpoint is a note of the log’s key that no cache keeps unasked', async () => {
    const { status, headers, text } = await world.ask('GET /log/checkpoint')
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(headers.get('cache-control'), 'no-cache')
    const key = await parseVerifierKey(webCrypto, (await world.ask('GET /log/vkeys')).text.trim())
    await verifyNote(webCrypto, parseNote(text), [key])
    assert.equal(parseCheckpoint(parseNote(text).text).size, size)
  })

  test('tiles and bundles never change, and every entry hashes to its place', async () => {
    const tile = await request(world.url, 'GET', `/log/tile/0/000.p/${size}`)
    const bundle = await request(world.url, 'GET', `/log/tile/entries/000.p/${size}`)
    for (const { status, headers } of [tile, bundle]) {
      assert.equal(status, 200)
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
      assert.equal(headers['content-type'], 'application/octet-stream')
    }
    const entries = decodeBundle(bundle.body)
    assert.equal(entries.length, size)
    for (const [at, entry] of entries.entries())
      assert.deepEqual(
        await hashLeaf(webCrypto, entry),
        new Uint8Array(tile.body.subarray(at * 32, at * 32 + 32)),
      )
    const packed = await request(world.url, 'GET', `/log/tile/entries/000.p/${size}`, {
      'accept-encoding': 'gzip',
    })
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.deepEqual(gunzipSync(packed.body), bundle.body)
    const plain = await request(world.url, 'GET', `/log/tile/entries/000.p/${size}`, {
      'accept-encoding': 'gzip;q=0',
    })
    assert.equal(plain.headers['content-encoding'], undefined)
  })

  test('what is not there yet, or never will be, is kept by no cache', async () => {
    for (const path of [
      'tile/0/000',
      `tile/0/000.p/${size + 1}`,
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/00/000.p/1',
      'tile/0/0.p/1',
      'tile/1/000.p/1',
      'tile/63/000.p/1',
      'tile/entries/000',
      'tile/0/..%2f..%2f..%2fkeys%2flog.key',
      'tile/0/%30%30%30.p/1',
      'tile/../checkpoint',
      'nothing',
      'package/%ff',
    ]) {
      const { status, headers } = await request(world.url, 'GET', `/log/${path}`)
      assert.equal(status, 404, path)
      assert.equal(headers['cache-control'], 'no-store', path)
      assert.equal(headers['content-type'], 'application/problem+json', path)
    }
  })

  test('a tile that lies on disk before its checkpoint is published is not given out', async t => {
    const { log } = world.ports
    const published = await log.published()
    t.mock.method(log, 'published', async () => published && { ...published, size: size - 1 })
    assert.equal((await world.ask(`GET /log/tile/0/000.p/${size}`)).status, 404)
    assert.equal((await world.ask(`GET /log/tile/entries/000.p/${size}`)).status, 404)
  })

  test('a proof holds for a version, an index and an id, and says what it is about', async () => {
    const byVersion = parseLogProof((await world.ask('GET /log/proof?pkg=@acme%2fui&ver=1.1.0')).text)
    const leaf = await verify(world, byVersion)
    assert.deepEqual([leaf.type, leaf.fields['pkg'], leaf.fields['ver']], ['publish', '@acme/ui', '1.1.0'])
    for (const query of [`index=${byVersion.index}`, `id=${leaf.id}`]) {
      const { headers, text } = await world.ask(`GET /log/proof?${query}`)
      assert.match(headers.get('content-disposition') ?? '', /\.tlog-proof"$/)
      assert.deepEqual(parseLogProof(text).entry, byVersion.entry)
    }
    for (const query of [
      '',
      'index=-1',
      'index=1e3',
      `index=${size}`,
      'id=x',
      'pkg=left&ver=9.9.9',
      'pkg=left',
    ])
      assert.equal((await world.ask(`GET /log/proof?${query}`)).status, 404, query)
    assert.equal((await world.ask('GET /log/proof?pkg=..&ver=1.0.0')).status, 400)
  })

  test('many versions are proven under one checkpoint, in the order they were asked for', async () => {
    const versions = [
      { pkg: 'left', ver: '1.0.0' },
      { pkg: 'no-such', ver: '1.0.0' },
      { pkg: '../etc', ver: '1.0.0' },
      { pkg: '@acme/ui', ver: 'latest' },
      { pkg: '@acme/ui', ver: '1.0.0' },
      { pkg: 'left', ver: '1.0.0' },
    ]
    const { status, body } = await world.ask('POST /log/proofs', { body: { versions } })
    assert.equal(status, 200)
    assert.deepEqual(
      body.proofs.map(({ pkg, ver }: (typeof versions)[number]) => ({ pkg, ver })),
      versions,
    )
    assert.deepEqual(
      body.proofs.map((each: { missing?: true }) => each.missing === true),
      [false, true, true, true, false, false],
    )
    for (const { pkg, ver, index, entry, path } of [body.proofs[0], body.proofs[4]]) {
      const proof = {
        index,
        entry: decodeBase64(entry) ?? utf8.encode(''),
        path: path.map(decodeBase64),
        checkpoint: body.checkpoint,
      }
      const { fields } = await verify(world, proof)
      assert.deepEqual([fields['pkg'], fields['ver']], [pkg, ver])
    }
  })

  test('a list that is too long, too large or none is refused before any work', async () => {
    const versions = Array.from({ length: 501 }, () => ({ pkg: 'left', ver: '1.0.0' }))
    assert.equal((await world.ask('POST /log/proofs', { body: { versions } })).status, 400)
    assert.equal(
      (await world.ask('POST /log/proofs', { body: { versions: 'x'.repeat(300_000) } })).status,
      413,
    )
    for (const body of [{}, [], null, { versions: [{ pkg: 1, ver: 2 }] }])
      assert.equal((await world.ask('POST /log/proofs', { body })).status, 400)
    assert.equal((await world.ask('GET /log/proofs')).status, 405)
    assert.equal((await world.ask('POST /log/checkpoint')).status, 405)
    assert.equal((await world.ask('PUT /log/tile/0/000.p/1')).status, 405)
  })

  test('the entries of many packages come at once, and those that nobody knows are left out', async () => {
    const packages = ['@acme/ui', 'nowhere', 'left', 'No Name', '__proto__']
    const { status, body } = await world.ask('POST /log/packages', { body: { packages } })
    assert.equal(status, 200)
    assert.deepEqual(
      body.packages.map(({ pkg }: { pkg: string }) => pkg),
      ['@acme/ui', 'left'],
    )
    for (const { pkg, leaves } of body.packages) {
      const alone = (await world.ask(`GET /log/package/${pkg}`)).body
      assert.deepEqual(leaves, alone.leaves)
      assert.equal(body.checkpoint, alone.checkpoint)
    }
    const tooMany = { packages: Array.from({ length: 501 }, (_, at) => `p${at}`) }
    assert.equal((await world.ask('POST /log/packages', { body: tooMany })).status, 400)
    assert.equal((await world.ask('GET /log/packages')).status, 405)
  })

  test('all entries of a package follow one another', async () => {
    for (const path of ['@acme/ui', '@acme%2fui']) {
      const { body } = await world.ask(`GET /log/package/${path}`)
      const entries = body.leaves.map(({ entry }: { entry: string }) => decodeBase64(entry))
      const leaves = await checkChain(webCrypto, entries)
      assert.equal(leaves.filter(({ type }) => type === 'publish').length, 2)
    }
    assert.equal((await world.ask('GET /log/package/no-such')).status, 404)
  })

  test('the document to pin is the same bytes each time, and holds what checks need', async () => {
    const [first, again] = [await world.ask('GET /log/trust'), await world.ask('GET /log/trust')]
    assert.equal(
      createHash('sha256').update(first.text).digest('hex'),
      createHash('sha256').update(again.text).digest('hex'),
    )
    const { origin, vkeys, policy, npmKeys } = first.body
    assert.deepEqual([origin, vkeys], [world.ports.log.origin, [world.ports.log.vkey]])
    assert.deepEqual(Object.keys(first.body), ['npmKeys', 'origin', 'policy', 'vkeys'])
    assert.match(policy, /^log \S+ http\S+\/log\nquorum none\n$/)
    assert.equal(npmKeys[0].keyid, world.ports.signer.keyId)
  })
})

describe('a log that names private packages', async () => {
  const world = await openWorld()
  const alice = await world.someone('alice')
  const bob = await world.someone('bob')
  const ann = await world.someone('ann', ['auditor'])
  await world.publish(alice, 'open', '1.0.0')
  await world.publish(alice, '@acme/secret', '1.0.0', { access: 'restricted' })
  const size = await sizeOf(world)
  const bundle = `/log/tile/entries/000.p/${size}`
  after(async () => {
    assert.deepEqual(world.errors, [])
    await world.close()
  })

  async function indexOf(name: string): Promise<number> {
    const found = await world.ports.store.log.findPublish(name as never, '1.0.0' as never)
    assert.ok(found !== undefined)
    return found.index
  }

  /** What somebody gets to see, as tokens and as browsers. */
  async function eyesOf(who: Someone | undefined): Promise<Record<string, string>[]> {
    if (who === undefined) return [{}]
    return [{ authorization: `Bearer ${who.token}` }, { cookie: (await world.browse(who)).cookie }]
  }

  const ask = (path: string, headers: Record<string, string>) => world.ask(`GET ${path}`, { headers })
  const without = ({ status, text }: Reply, ...words: string[]) =>
    `${status} ${words.sort((a, b) => b.length - a.length).reduce((left, word) => left.replaceAll(word, 'X'), text)}`

  test('to outsiders a private package and its entries are as if they were not there', async () => {
    const secret = await indexOf('@acme/secret')
    const { body } = await world.ask(`GET /log/package/@acme/secret`, { token: alice.token })
    const { id } = readLeaf(decodeBase64(body.leaves[0].entry) ?? utf8.encode(''))
    const noId = '00000000-0000-7000-8000-000000000000'
    for (const who of [undefined, bob])
      for (const eyes of await eyesOf(who)) {
        const same = async (there: string, missing: string, ...words: string[]) =>
          assert.equal(
            without(await ask(there, eyes), ...words),
            without(await ask(missing, eyes), ...words),
            there,
          )
        await same('/log/package/@acme/secret', '/log/package/@acme/no-such', 'secret', 'no-such')
        await same('/log/proof?pkg=@acme/secret&ver=9.9.9', '/log/proof?pkg=@acme/secret&ver=1.0.0')
        await same(
          `/log/proof?index=${secret}`,
          `/log/proof?index=${size + 7}`,
          String(secret),
          String(size + 7),
        )
        await same(`/log/proof?id=${id}`, `/log/proof?id=${noId}`, id, noId)
        assert.equal((await ask(`/log/proof?index=${secret}`, eyes)).status, 404)
        assert.equal((await ask(`/log/proof?pkg=@acme/secret&ver=1.0.0`, eyes)).status, 404)
        const refused = await ask(bundle, eyes)
        assert.equal(refused.status, (eyes['authorization'] ?? eyes['cookie']) ? 403 : 401)
        assert.equal(refused.headers.get('cache-control'), 'no-store')
        assert.doesNotMatch(refused.text, /secret/)
      }
  })

  test('a list of versions does not tell which of them are there and hidden', async () => {
    const versions = ['open', '@acme/secret', '@acme/no-such'].map(pkg => ({ pkg, ver: '1.0.0' }))
    for (const token of [undefined, bob.token]) {
      const { body } = await world.ask('POST /log/proofs', { token, body: { versions } })
      assert.deepEqual(
        body.proofs.map((each: { missing?: true }) => each.missing === true),
        [false, true, true],
      )
    }
    const { body } = await world.ask('POST /log/proofs', { token: alice.token, body: { versions } })
    assert.deepEqual(
      body.proofs.map((each: { missing?: true }) => each.missing === true),
      [false, false, true],
    )
  })

  test('nor does a list of packages', async () => {
    const packages = ['open', '@acme/secret', '@acme/no-such']
    const names = async (token: string | undefined) => {
      const { body } = await world.ask('POST /log/packages', { token, body: { packages } })
      return body.packages.map(({ pkg }: { pkg: string }) => pkg)
    }
    for (const token of [undefined, bob.token]) assert.deepEqual(await names(token), ['open'])
    assert.deepEqual(await names(alice.token), ['open', '@acme/secret'])
  })

  test('the rows of the gate are for whoever may read every entry', async () => {
    for (const token of [undefined, bob.token, alice.token])
      assert.equal((await world.ask('GET /log/gate', { token })).status, token === undefined ? 401 : 403)
    assert.equal((await world.ask('POST /log/gate', { body: {} })).status, 405)
  })

  test('no page of the log names a private package to outsiders', async () => {
    const secret = await indexOf('@acme/secret')
    for (const visit of [{}, { cookie: (await world.browse(bob)).cookie }]) {
      for (const path of [
        '/log',
        `/log?actor=${alice.id}`,
        `/log?before=${size}`,
        '/log/checkpoints',
        `/log/entry/${secret}`,
      ]) {
        const { text } = await get(world, path, visit)
        assert.doesNotMatch(text, /secret/, path)
      }
      assert.equal((await get(world, `/log/entry/${secret}`, visit)).status, 404)
      const asked = async (name: string) =>
        (await get(world, `/log?package=@acme/${name}`, visit)).text
          .replaceAll(name, 'X')
          .replace(/request <code>[^<]*/, '')
      assert.equal(await asked('secret'), await asked('no-such'))
    }
  })

  test('its owner proves it, and sees the entries of no other; hashes stay for everybody', async () => {
    const proof = parseLogProof(
      (await world.ask('GET /log/proof?pkg=@acme/secret&ver=1.0.0', { token: alice.token })).text,
    )
    await verify(world, proof)
    assert.equal((await world.ask(`GET /log/proof?index=${proof.index}`, { token: alice.token })).status, 200)
    assert.equal((await world.ask(`GET ${bundle}`, { token: alice.token })).status, 403)
    for (const path of [
      'checkpoint',
      `tile/0/000.p/${size}`,
      'vkeys',
      'trust',
      'proof?pkg=open&ver=1.0.0',
      'package/open',
    ])
      assert.equal((await world.ask(`GET /log/${path}`)).status, 200, path)
    assert.match(
      (await get(world, '/log', { cookie: (await world.browse(alice)).cookie })).text,
      /All entries are shown to auditors/,
    )
  })

  test('an entry that is about no package is for those who may read all', async () => {
    const first = (await world.ports.store.log.readEntries(0, 1))[0]
    assert.equal(readLeaf(first?.entry ?? utf8.encode('')).link, undefined)
    assert.equal((await world.ask('GET /log/proof?index=0', { token: bob.token })).status, 404)
    assert.equal((await world.ask('GET /log/proof?index=0', { token: ann.token })).status, 200)
  })

  test('an auditor reads everything, with no token that is limited to packages, and no shared cache keeps it', async () => {
    const { status, headers } = await world.ask(`GET ${bundle}`, { token: ann.token })
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'private, max-age=31536000, immutable')
    const readOnly = await world.token(ann, { permission: 'read-only' })
    assert.equal((await world.ask(`GET ${bundle}`, { token: readOnly })).status, 200)
    const limited = await world.token(ann, { packages: ['open' as never] })
    assert.equal((await world.ask(`GET ${bundle}`, { token: limited })).status, 403)
    const secret = await indexOf('@acme/secret')
    assert.equal((await world.ask(`GET /log/proof?index=${secret}`, { token: limited })).status, 404)
    const { cookie } = await world.browse(ann)
    assert.match((await get(world, '/log', { cookie })).text, /@acme\/secret/)
    assert.equal((await get(world, `/log/entry/${secret}`, { cookie })).status, 200)
  })

  test('a package that was private once still closes the list, and a bad token is told', async () => {
    const asAlice = { token: alice.token }
    const opened = await world.npm('POST /-/package/@acme%2fsecret/access', {
      ...asAlice,
      body: { access: 'public' },
    })
    assert.ok(opened.status < 300, opened.text)
    assert.equal((await world.ask(`GET ${bundle}`)).status, 401)
    assert.equal((await world.ask('GET /log/package/@acme/secret')).status, 200)
    assert.equal((await world.ask('GET /log/checkpoint', { token: `${bob.token}x` })).status, 401)
  })
})

test('the document to pin asks for the witnesses that the operator trusts, and tells no address of theirs', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true }))
  const witness = 'witness w1 witness.example/w1+6fc2f2cf+BMd/h4jfmZ5i/QlbSTmm7fCDvpehe+0GazBnSNUupm/F'
  const file = join(folder, 'policy.txt')
  await writeFile(file, `# ours\n${witness} https://w1.internal.example\nquorum none\n`)
  const world = await openWorld({ witnesses: file })
  t.after(() => world.close())
  const { policy } = (await world.ask('GET /log/trust')).body
  assert.equal(policy, `log ${world.ports.log.vkey} ${world.url}/log\n${witness}\nquorum none\n`)
  const { text } = await get(world, '/log')
  assert.match(text, /w1/)
  assert.doesNotMatch(text, /internal/)
})

test('where reading needs an account, nothing of the log is for others', async () => {
  const world = await openWorld({ read: 'signed-in' })
  const alice = await world.someone('alice')
  await world.publish(alice, 'open', '1.0.0')
  const size = await sizeOf(world)
  for (const path of [
    'checkpoint',
    `tile/0/000.p/${size}`,
    `tile/entries/000.p/${size}`,
    'proof?index=0',
    'proof?pkg=open&ver=1.0.0',
    'package/open',
    'package/no-such',
    'vkeys',
    'trust',
  ])
    assert.equal((await world.ask(`GET /log/${path}`)).status, 401, path)
  assert.equal((await world.ask('POST /log/proofs', { body: { versions: [] } })).status, 401)
  const { headers } = await world.ask(`GET /log/tile/0/000.p/${size}`, { token: alice.token })
  assert.equal(headers.get('cache-control'), 'private, max-age=31536000, immutable')
  for (const path of ['/log', '/log/checkpoints', '/log/entry/0'])
    assert.doesNotMatch((await get(world, path)).text, /root hash|<td>open/i, path)
  assert.deepEqual(world.errors, [])
  await world.close()
})
