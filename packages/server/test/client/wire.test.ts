// SPDX-License-Identifier: Apache-2.0
/** What clients send and rely on, byte by byte: sections 1, 4, 5, 6 and 15 of the npm protocol as raw HTTP. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { type RawAnswer, request } from '../request.ts'
import { packSample, publishBody, type Sample, startRegistry } from './registry.ts'

const corgi = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*'
const corgiType = 'application/vnd.npm.install-v1+json'
const registry = await startRegistry()
const token = await registry.token('alice')
after(() => registry.stop())

type Headers = Readonly<Record<string, string>>

const get = (path: string, headers: Headers = {}) => request(registry.url, 'GET', `/npm${path}`, headers)
const signed = (headers: Headers = {}) => ({ authorization: `Bearer ${token}`, ...headers })
const put = (path: string, body: unknown, headers: Headers = signed()) =>
  request(
    registry.url,
    'PUT',
    `/npm${path}`,
    { 'content-type': 'application/json', ...headers },
    JSON.stringify(body),
  )
// biome-ignore lint/suspicious/noExplicitAny: documents of the wire, looked into freely
const parse = (answer: RawAnswer): any => JSON.parse(answer.body.toString('utf8'))
const publish = async (sample: Sample) => {
  const answer = await put(`/${sample.name.replace('/', '%2f')}`, publishBody(sample))
  assert.equal(answer.status, 201, answer.body.toString())
}

before(async () => {
  for (const version of ['1.0.0', '1.1.0']) await publish({ name: '@acme/ui', version })
  await publish({ name: 'plain', version: '1.0.0' })
})

describe('addresses', () => {
  const forms = ['/@acme%2fui', '/@acme%2Fui', '/@acme/ui', '/%40acme%2fui', '/%40acme/ui']

  test('every form of a scoped name reaches the same package on every route', async () => {
    for (const form of forms) {
      assert.equal(parse(await get(form)).name, '@acme/ui', form)
      assert.equal(parse(await get(`${form}/1.0.0`)).version, '1.0.0', form)
      assert.equal(parse(await get(`${form}/latest`)).version, '1.1.0', form)
      assert.equal((await get(`${form}/-/ui-1.0.0.tgz`)).status, 200, form)
      for (const [ask, key] of [
        ['dist-tags', 'latest'],
        ['visibility', 'public'],
        ['collaborators', 'alice'],
      ])
        assert.ok(
          key !== undefined && key in parse(await get(`/-/package${form}/${ask}`, signed())),
          `${form} ${ask}`,
        )
    }
  })

  test('a package can be published under every form of its name', async () => {
    for (const [index, form] of forms.entries()) {
      const sample = { name: '@acme/ui', version: `2.0.${index}` }
      assert.equal((await put(form, publishBody(sample))).status, 201, form)
    }
  })

  test('a tarball has one more address: the one that old lock files name', async () => {
    assert.equal((await get('/@acme/ui/-/@acme/ui-1.0.0.tgz')).status, 200)
    assert.equal((await get('/@acme%2fui/-/@acme%2fui-1.0.0.tgz')).status, 200)
  })

  test('an address is decoded once: what was escaped twice is another name, and no package', async () => {
    for (const path of ['/@acme%252fui', '/@acme%2f%2e%2e%2fplain', '/%2e%2e', '/plain%2f1.0.0', '/plain%00'])
      assert.ok([400, 404].includes((await get(path)).status), path)
    for (const path of ['/%zz', '/@acme%2', '/plain/-/%ff.tgz'])
      assert.equal((await get(path)).status, 404, path)
  })

  test('a name that begins with a hyphen or a dot is never a package', async () => {
    for (const path of ['/-lib', '/.lib', '/-', '/-/', '/.', '/-/unknown/route', '/-/package']) {
      const answer = await get(path)
      assert.equal(answer.status, 404, path)
      assert.ok(typeof parse(answer).error === 'string', path)
    }
  })

  test('a version or tag by itself is one manifest, and 404 when it is not there', async () => {
    const one = parse(await get('/plain/1.0.0'))
    for (const key of ['tarball', 'integrity', 'shasum', 'signatures']) assert.ok(key in one.dist, key)
    for (const path of ['/plain/9.9.9', '/plain/nosuchtag', '/nowhere/latest', '/nowhere/1.0.0'])
      assert.equal((await get(path)).status, 404, path)
  })
})

describe('packuments', () => {
  test('anything but the abbreviated type, and nothing at all, gives the full document with _id and _rev', async () => {
    for (const accept of [
      '*/*',
      'application/json',
      'application/json; q=1.0, */*',
      'application/json, */*',
      undefined,
    ]) {
      const answer = await get('/plain', accept === undefined ? {} : { accept })
      assert.match(String(answer.headers['content-type']), /^application\/json/)
      const document = parse(answer)
      assert.equal(document._id, 'plain')
      assert.ok(document._rev.length > 0)
    }
  })

  test('the abbreviated document has its exact type, the times, and none of the rest', async () => {
    const answer = await get('/plain', { accept: corgi })
    assert.equal(answer.headers['content-type'], corgiType)
    const document = parse(answer)
    assert.deepEqual(Object.keys(document).sort(), ['dist-tags', 'modified', 'name', 'time', 'versions'])
    assert.ok(document.time['1.0.0'])
    assert.ok(!('scripts' in document.versions['1.0.0']))
  })

  test('a read before a write gets the full document whatever it accepts', async () => {
    assert.ok(parse(await get('/plain?write=true', { accept: corgi }))._rev)
  })

  test('the two forms have ETags of their own, and each moves with every change', async () => {
    const tags = async () => [
      (await get('/plain')).headers.etag,
      (await get('/plain', { accept: corgi })).headers.etag,
      parse(await get('/plain'))._rev,
    ]
    const first = await tags()
    assert.notEqual(first[0], first[1])
    // A star changes no version, but the revision: a 304 here would make npm send an old one.
    assert.equal((await put('/plain', { _id: 'plain', _rev: first[2], users: { alice: true } })).status, 200)
    const second = await tags()
    for (const [index, tag] of second.entries()) assert.notEqual(tag, first[index])
  })

  test('an unchanged document is 304 without a body, to either validator that clients send', async () => {
    for (const accept of ['*/*', corgi]) {
      const { etag, 'last-modified': modified } = (await get('/plain', { accept })).headers
      const headers = { accept, 'if-none-match': String(etag), 'if-modified-since': String(modified) }
      const again = await get('/plain', headers)
      assert.equal(again.status, 304)
      assert.equal(again.body.length, 0)
      assert.equal(again.headers.etag, etag)
    }
  })

  test('documents vary by accept and encoding, and never by authorization', async () => {
    for (const headers of [{}, { accept: corgi }, signed()]) {
      const vary = String((await get('/plain', headers)).headers.vary).toLowerCase()
      assert.match(vary, /accept, accept-encoding/)
      // npm would store the token in clear text beside the cached answer.
      assert.ok(!vary.includes('authorization'))
    }
  })

  test('every encoding that a client offers opens to the same document', async () => {
    // Small documents have one compressed form.
    await publish({ name: 'wide', version: '1.0.0', manifest: { keywords: ['x'.repeat(20_000)] } })
    const same = (await get('/wide')).body.toString()
    const ways: readonly [string, string | undefined, (body: Buffer) => Buffer][] = [
      ['gzip,deflate', 'gzip', gunzipSync],
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['zstd,gzip,deflate', 'zstd', zstdDecompressSync],
      // What `bun pm whoami` sends.
      ['gzip/deflate', 'gzip', gunzipSync],
      ['identity', undefined, body => body],
      ['gzip;q=0', undefined, body => body],
    ]
    for (const [accepted, encoding, open] of ways) {
      const answer = await get('/wide', { 'accept-encoding': accepted })
      assert.equal(answer.headers['content-encoding'], encoding, accepted)
      assert.equal(answer.headers['content-length'], String(answer.body.length))
      assert.equal(open(answer.body).toString(), same, accepted)
    }
  })

  test('there is a time for every version, and modified moves with every publish', async () => {
    const before = parse(await get('/@acme/ui'))
    await publish({ name: '@acme/ui', version: '3.0.0' })
    for (const accept of ['*/*', corgi]) {
      const document = parse(await get('/@acme/ui', { accept }))
      for (const version of Object.keys(document.versions))
        assert.match(document.time[version], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      const modified = document.time.modified
      assert.ok(modified > before.time.modified)
      assert.equal(document.modified ?? modified, modified)
    }
  })

  test('what resolvers need is in both forms, what only people read in the full one', async () => {
    const manifest = {
      bin: 'tool.js',
      dependencies: { plain: '^1.0.0' },
      optionalDependencies: { '@acme/ui': '1.0.0' },
      peerDependencies: { react: '*' },
      peerDependenciesMeta: { react: { optional: true } },
      dependenciesMeta: { plain: { built: false } },
      bundleDependencies: ['plain'],
      engines: { node: '>=18' },
      os: ['linux', 'darwin'],
      cpu: ['x64'],
      libc: ['glibc'],
      scripts: { postinstall: 'node build.js' },
      funding: 'https://funding.example',
      keywords: ['tool'],
    }
    await publish({ name: 'tool', version: '1.0.0', manifest, files: { 'tool.js': '', 'build.js': '' } })
    const full = parse(await get('/tool')).versions['1.0.0']
    const short = parse(await get('/tool', { accept: corgi })).versions['1.0.0']
    const { scripts, keywords, dependenciesMeta, bin: _, funding, ...needed } = manifest
    for (const [key, value] of Object.entries(needed))
      for (const form of [full, short]) assert.deepEqual(form[key] ?? form['bundledDependencies'], value, key)
    for (const form of [full, short]) {
      assert.equal(form.hasInstallScript, true)
      assert.ok('tool.js' === form.bin || 'tool.js' === form.bin?.tool)
    }
    // berry reads these from the full document.
    assert.deepEqual(full.scripts, scripts)
    assert.deepEqual(full.dependenciesMeta, dependenciesMeta)
    assert.deepEqual([full.funding, full.keywords], [funding, keywords])
    assert.ok(!('hasInstallScript' in parse(await get('/plain')).versions['1.0.0']))
  })

  test('deprecated is left out when it is empty', async () => {
    const document = parse(await get('/plain?write=true'))
    document.versions['1.0.0'].deprecated = ''
    assert.equal((await put('/plain', document)).status, 200)
    // yarn 1 prints a warning even for an empty text.
    for (const accept of ['*/*', corgi])
      assert.ok(!('deprecated' in parse(await get('/plain', { accept })).versions['1.0.0']))
  })

  test('a HEAD has the headers of a GET and no body', async () => {
    const head = await request(registry.url, 'HEAD', '/npm/plain')
    assert.equal(head.status, 200)
    assert.equal(head.body.length, 0)
    assert.equal(head.headers.etag, (await get('/plain')).headers.etag)
  })
})

describe('tarballs', () => {
  const path = '/plain/-/plain-1.0.0.tgz'

  test('the packument names the canonical address, and true digests', async () => {
    for (const [name, file] of [
      ['plain', 'plain-1.0.0.tgz'],
      ['@acme/ui', 'ui-1.0.0.tgz'],
    ]) {
      for (const accept of ['*/*', corgi]) {
        const { dist } = parse(await get(`/${name}`, { accept })).versions['1.0.0']
        assert.equal(dist.tarball, `${registry.npm}${name}/-/${file}`)
        const { body } = await get(new URL(dist.tarball).pathname.slice('/npm'.length))
        assert.equal(dist.shasum, createHash('sha1').update(body).digest('hex'))
        assert.equal(dist.integrity, `sha512-${createHash('sha512').update(body).digest('base64')}`)
      }
    }
  })

  test('the bytes are those that were published, with their length, and never encoded', async () => {
    const bytes = packSample({ name: 'plain', version: '1.0.0' })
    for (const headers of [{}, { 'accept-encoding': 'gzip, deflate, br, zstd', accept: corgi }]) {
      // Three times, so that the answer from memory is seen too.
      for (let i = 0; i < 3; i++) {
        const answer = await get(path, headers)
        assert.ok(answer.body.equals(bytes))
        assert.equal(answer.headers['content-encoding'], undefined)
        assert.equal(answer.headers['content-length'], String(bytes.length))
        assert.equal(answer.headers['content-type'], 'application/octet-stream')
      }
    }
  })

  test('a public tarball is immutable to every cache, and its ETag spares the bytes', async () => {
    const { headers } = await get(path)
    assert.match(String(headers['cache-control']), /public.*immutable/)
    const again = await get(path, { 'if-none-match': String(headers.etag) })
    assert.equal(again.status, 304)
    assert.equal(again.body.length, 0)
  })

  test('a restricted package is for those who may read it, and stays out of shared caches', async () => {
    await publish({ name: 'secret', version: '1.0.0', access: 'restricted' })
    for (const each of ['/secret', '/secret/1.0.0', '/secret/-/secret-1.0.0.tgz']) {
      const refused = await get(each)
      assert.equal(refused.status, 404, each)
      assert.match(
        parse(refused).error,
        /There is no package 'secret' here, or you may not read it\. .*sign in/,
      )
      const answer = await get(each, signed())
      assert.equal(answer.status, 200, each)
      assert.match(String(answer.headers['cache-control']), /private/)
      assert.doesNotMatch(String(answer.headers['cache-control']), /public|immutable/)
    }
    const stranger = await registry.token('stranger')
    assert.equal((await get('/secret', { authorization: `Bearer ${stranger}` })).status, 404)
  })

  test('a file that is none of the package’s versions is 404', async () => {
    for (const file of ['plain-9.9.9.tgz', 'ui-1.0.0.tgz', 'plain-1.0.0.zip', 'plain-1.0.0.tgz/x', ''])
      assert.equal((await get(`/plain/-/${file}`)).status, 404, file)
  })

  test('a part of the bytes is a part of the bytes', async () => {
    const bytes = packSample({ name: 'plain', version: '1.0.0' })
    const part = await get(path, { range: 'bytes=10-19' })
    assert.equal(part.status, 206)
    assert.ok(part.body.equals(bytes.subarray(10, 20)))
  })
})

describe('the gate', () => {
  test('a blocked version: out of versions, in policyRestrictions, 403 by its addresses, with reason and notice', async () => {
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await publish({ name: 'hurt', version })
    await registry.operate('quarantine', 'hurt@1.2.0', '--reason', 'malware', '--words', 'steals tokens')
    const tarball = '/hurt/-/hurt-1.2.0.tgz'
    // The gate of a tarball is live; documents follow an act of another process within a second.
    await registry.until('/hurt', async answer => (await answer.text()).includes('policyRestrictions'))
    const document = parse(await get('/hurt'))
    assert.deepEqual(Object.keys(document.versions), ['1.0.0', '1.1.0'])
    assert.deepEqual(document['dist-tags'], { latest: '1.1.0' })
    assert.match(document.policyRestrictions.message, /1\.2\.0 is quarantined: steals tokens/)
    assert.deepEqual(Object.keys(document.policyRestrictions.versions), ['1.2.0'])
    // npm reads the abbreviated one, and has no other place for the reason.
    const short = parse(await get('/hurt', { accept: corgi }))
    assert.deepEqual(Object.keys(short.versions), ['1.0.0', '1.1.0'])
    assert.deepEqual(short.policyRestrictions, document.policyRestrictions)
    for (const path of [tarball, '/hurt/1.2.0']) {
      const refused = await get(path)
      assert.equal(refused.status, 403)
      assert.match(
        parse(refused).error,
        /quarantined: steals tokens\. Do not use it; allowed instead: 1\.1\.0\./,
      )
      assert.match(String(refused.headers['npm-notice']), /\/why\/npm\/hurt\/1\.2\.0/)
      assert.equal(refused.headers['cache-control'], 'no-store')
    }
  })

  test('a tarball that was in memory is refused too', async () => {
    await publish({ name: 'hot', version: '1.0.0' })
    const tarball = '/hot/-/hot-1.0.0.tgz'
    for (let i = 0; i < 5; i++) assert.equal((await get(tarball)).status, 200)
    await registry.operate('quarantine', 'hot@1.0.0', '--reason', 'malware')
    await registry.until(tarball, answer => answer.status === 403)
    for (let i = 0; i < 5; i++) assert.equal((await get(tarball)).status, 403)
  })

  test('an unpublished package says when, with the members that clients look for', async () => {
    await publish({ name: 'gone', version: '1.0.0' })
    const { _rev } = parse(await get('/gone'))
    assert.equal((await request(registry.url, 'DELETE', `/npm/gone/-rev/${_rev}`, signed())).status, 200)
    for (const accept of ['*/*', corgi]) {
      const document = parse(await get('/gone', { accept }))
      assert.deepEqual(document.time.unpublished.versions, ['1.0.0'])
      assert.deepEqual([document.versions, document['dist-tags']], [{}, {}])
    }
    assert.equal((await get('/gone/-/gone-1.0.0.tgz')).status, 410)
    // pnpm asks again for 70 seconds after a 410.
    assert.equal((await get('/gone/-/gone-1.0.0.tgz', { 'user-agent': 'pnpm/12.21.0 node/?' })).status, 404)
  })
})

describe('publishing', () => {
  test('what exists is refused with 403, also when it is deprecated or a prerelease', async () => {
    for (const version of ['1.0.0', '1.1.0-beta.1']) await publish({ name: 'once', version })
    const document = parse(await get('/once?write=true'))
    document.versions['1.0.0'].deprecated = 'old'
    assert.equal((await put('/once', document)).status, 200)
    for (const version of ['1.0.0', '1.1.0-beta.1']) {
      const again = await put(
        '/once',
        publishBody({ name: 'once', version, files: { 'other.js': 'changed' } }),
      )
      assert.equal(again.status, 403)
      assert.equal(
        parse(again).error.split(': ')[0],
        'You cannot publish over the previously published versions',
      )
    }
  })

  test('the same bytes again from the same hand are answered like the first time, and change nothing', async () => {
    const body = publishBody({ name: 'repeated', version: '1.0.0' })
    assert.equal((await put('/repeated', body)).status, 201)
    const before = parse(await get('/repeated'))._rev
    assert.equal((await put('/repeated', body)).status, 201)
    assert.equal(parse(await get('/repeated'))._rev, before)
    const other = await registry.token('another-hand')
    assert.notEqual((await put('/repeated', body, { authorization: `Bearer ${other}` })).status, 201)
  })

  test('only the given tag moves, and latest comes with the first version whatever its tag', async () => {
    await publish({ name: 'tagged', version: '1.0.0-rc.1', tag: 'next' })
    assert.deepEqual(parse(await get('/tagged'))['dist-tags'], { next: '1.0.0-rc.1', latest: '1.0.0-rc.1' })
    await publish({ name: 'tagged', version: '1.0.0' })
    await publish({ name: 'tagged', version: '2.0.0-rc.1', tag: 'next' })
    assert.deepEqual(parse(await get('/tagged'))['dist-tags'], { next: '2.0.0-rc.1', latest: '1.0.0' })
  })

  test('digests that do not fit the bytes are refused, and nothing is kept', async () => {
    for (const member of ['integrity', 'shasum']) {
      const body = JSON.parse(JSON.stringify(publishBody({ name: 'untrue', version: '1.0.0' })))
      const wrong = packSample({ name: 'untrue', version: '1.0.1' })
      body.versions['1.0.0'].dist[member] =
        member === 'shasum'
          ? createHash('sha1').update(wrong).digest('hex')
          : `sha512-${createHash('sha512').update(wrong).digest('base64')}`
      const refused = await put('/untrue', body)
      assert.equal(refused.status, 400)
      assert.match(parse(refused).error, new RegExp(member))
    }
    assert.equal((await get('/untrue')).status, 404)
  })

  test('a manifest that the tarball contradicts is refused', async () => {
    const body = publishBody(
      { name: 'twofaced', version: '1.0.0' },
      packSample({ name: 'other', version: '1.0.0' }),
    )
    assert.equal((await put('/twofaced', body)).status, 400)
    const hidden = { name: 'twofaced', version: '1.0.0', manifest: { dependencies: { evil: '1.0.0' } } }
    const open = publishBody({ name: 'twofaced', version: '1.0.0' }, packSample(hidden))
    assert.equal((await put('/twofaced', open)).status, 400)
  })

  test('what a client claims about its version and its address is not believed', async () => {
    const body = JSON.parse(JSON.stringify(publishBody({ name: '@acme/claims', version: '1.0.0' })))
    Object.assign(body.versions['1.0.0'], {
      _npmUser: { name: 'root' },
      _rev: '9-x',
      _secret: 1,
      hasInstallScript: true,
    })
    Object.assign(body.versions['1.0.0'].dist, {
      signatures: [{ keyid: 'x', sig: 'y' }],
      fileCount: 99,
      evil: true,
    })
    body.time = { '1.0.0': '1999-01-01T00:00:00.000Z' }
    body.maintainers = [{ name: 'root', email: 'root@acme.example' }]
    assert.equal((await put('/@acme%2fclaims', body)).status, 201)
    const document = parse(await get('/@acme/claims'))
    const version = document.versions['1.0.0']
    assert.deepEqual(
      document.maintainers.map((each: { name: string }) => each.name),
      ['alice'],
    )
    assert.ok(!document.time['1.0.0'].startsWith('1999'))
    assert.equal(version._npmUser.name, 'alice')
    assert.ok(
      !('_secret' in version || '_rev' in version || 'evil' in version.dist || version.hasInstallScript),
    )
    assert.notEqual(version.dist.signatures[0].keyid, 'x')
    assert.equal(version.dist.tarball, `${registry.npm}@acme/claims/-/claims-1.0.0.tgz`)
  })

  test('a pre-release under a tag of its own does not speak for the package', async () => {
    const publish = async (version: string, tag: string) => {
      const body = publishBody({ name: 'speaks', version, tag })
      assert.equal((await put('/speaks', { ...body, readme: `# ${version}` })).status, 201)
      return parse(await get('/speaks')).readme
    }
    assert.equal(await publish('1.0.0', 'next'), '# 1.0.0')
    assert.equal(await publish('1.1.0', 'latest'), '# 1.1.0')
    assert.equal(await publish('2.0.0-beta.1', 'next'), '# 1.1.0')
  })

  test('the README is taken from the version, as npm sends it, or from the top, as yarn does', async () => {
    for (const [name, place] of [
      ['readme-in-version', 'version'],
      ['readme-on-top', 'top'],
    ] as const) {
      const body = JSON.parse(JSON.stringify(publishBody({ name, version: '1.0.0' })))
      const holder = place === 'top' ? body : body.versions['1.0.0']
      holder.readme = '# Read me'
      assert.equal((await put(`/${name}`, body)).status, 201)
      const document = parse(await get(`/${name}`))
      assert.equal(document.readme, '# Read me')
      // Every install reads this document: long texts stand in it once.
      assert.ok(!('readme' in document.versions['1.0.0']))
    }
  })

  test('a refused upload is read to its end, since npm reads the answer only then', async () => {
    const files = { 'big.bin': 'x'.repeat(3_000_000) + Math.random() }
    const body = publishBody({ name: 'refused', version: '1.0.0', files })
    const nobody = await put('/refused', body, {})
    assert.equal(nobody.status, 401)
    assert.match(String(nobody.headers['www-authenticate']), /Bearer/)
    const stranger = await registry.token('not-alice')
    const wrong = await put('/plain', publishBody({ name: 'plain', version: '9.0.0', files }), {
      authorization: `Bearer ${stranger}`,
    })
    assert.equal(wrong.status, 403)
    assert.match(parse(wrong).error, /You may not/)
  })

  test('a body that is no publish is refused with a reason', async () => {
    const good = publishBody({ name: 'shaped', version: '1.0.0' })
    const bodies: readonly unknown[] = [
      {},
      [],
      'text',
      null,
      7,
      { ...good, name: 'another' },
      { ...good, versions: {} },
      { ...good, 'dist-tags': { latest: '2.0.0' } },
      { ...good, 'dist-tags': { '1.x': '1.0.0' } },
      { ...good, access: 'everyone' },
      { ...good, versions: { '1.0.0': { name: 'shaped', version: '1.0.1' } } },
    ]
    for (const body of bodies) {
      const answer = await put('/shaped', body)
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${answer.status} ${JSON.stringify(body)?.slice(0, 80)}`,
      )
      assert.ok(parse(answer).error.length > 10)
    }
    assert.equal((await get('/shaped')).status, 404)
  })
})

describe('requests and answers', () => {
  test('what is about an account is stored by nobody', async () => {
    for (const path of [
      '/-/whoami',
      '/-/npm/v1/tokens',
      '/-/npm/v1/user',
      '/-/user/org.couchdb.user:alice',
    ]) {
      const answer = await get(path, signed())
      assert.equal(answer.status, 200, path)
      assert.equal(answer.headers['cache-control'], 'no-store', path)
      assert.equal(answer.headers.vary?.toLowerCase().includes('authorization') ?? false, false)
    }
    const login = parse(await request(registry.url, 'POST', '/npm/-/v1/login', {}))
    const { pathname, search } = new URL(login.doneUrl)
    const poll = await request(registry.url, 'GET', pathname + search)
    assert.equal(poll.status, 202)
    assert.equal(poll.headers['cache-control'], 'no-store')
  })

  test('a POST without body and type, a bare string, a gzip body and a DELETE with a body are all taken', async () => {
    const bodiless = await request(registry.url, 'POST', '/npm/-/v1/login', { 'content-length': '0' })
    assert.equal(bodiless.status, 200)
    const tag = '/-/package/plain/dist-tags'
    assert.ok((await put(`${tag}/one`, '1.0.0')).status < 300)
    const zipped = await request(
      registry.url,
      'PUT',
      `/npm${tag}/two`,
      signed({ 'content-type': 'application/json', 'content-encoding': 'gzip' }),
      gzipSync('"1.0.0"'),
    )
    assert.ok(zipped.status < 300)
    const sized = signed({ 'content-type': 'application/json', 'content-length': '7' })
    const deleted = await request(registry.url, 'DELETE', `/npm${tag}/one`, sized, '"1.0.0"')
    assert.ok(deleted.status < 300)
    assert.deepEqual(Object.keys(parse(await get(tag))), ['latest', 'two'])
  })

  test('writes answer with the members that yarn 1 looks for', async () => {
    const answer = parse(await put('/-/package/plain/dist-tags/three', '1.0.0'))
    assert.deepEqual([answer.ok, answer.success], [true, true])
  })

  test('an error is one sentence of JSON, whatever was asked', async () => {
    const asked: readonly [string, string, number][] = [
      ['GET', '/nowhere', 404],
      ['GET', '/-/no/such/route', 404],
      ['PATCH', '/plain', 405],
      ['OPTIONS', '/plain', 405],
      ['GET', '/-/whoami', 401],
      ['DELETE', '/-/package/plain/dist-tags/latest', 401],
    ]
    for (const [method, path, status] of asked) {
      const answer = await request(registry.url, method, `/npm${path}`)
      assert.equal(answer.status, status, `${method} ${path}`)
      assert.match(String(answer.headers['content-type']), /^application\/json/)
      assert.match(parse(answer).error, /^\S.*\S$/)
    }
  })

  test('a token that is no good is told so everywhere except where one signs in', async () => {
    const stale = { authorization: 'Bearer npm_0123456789' }
    for (const path of ['/plain', '/plain/-/plain-1.0.0.tgz', '/-/whoami']) {
      const answer = await get(path, stale)
      assert.equal(answer.status, 401, path)
      assert.match(parse(answer).error, /token is not valid here/)
    }
    assert.equal((await request(registry.url, 'POST', '/npm/-/v1/login', stale)).status, 200)
    assert.equal((await get('/-/ping', stale)).status, 200)
  })

  test('secrets in addresses do not reach the log', async () => {
    const secret = await registry.token('leaky')
    await request(registry.url, 'DELETE', `/npm/-/user/token/${secret}`, signed())
    await request(registry.url, 'DELETE', `/npm/-/npm/v1/tokens/token/${secret}`, signed())
    await get(`/-/whoami?token=${secret}`)
    const lines = await registry.requests('/token/')
    assert.ok(lines.length >= 2)
    assert.ok(!registry.log().includes(secret))
    assert.ok(!registry.log().includes('authId='))
  })

  test('the keys are those that signed, in the form that clients check', async () => {
    const { keys } = parse(await get('/-/npm/v1/keys'))
    const { dist } = parse(await get('/plain')).versions['1.0.0']
    const key = keys.find((each: { keyid: string }) => each.keyid === dist.signatures[0].keyid)
    assert.equal(key.keytype, 'ecdsa-sha2-nistp256')
    const publicKey = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
    const text = Buffer.from(`plain@1.0.0:${dist.integrity}`)
    assert.ok(verify('sha256', text, publicKey, Buffer.from(dist.signatures[0].sig, 'base64')))
  })
})
