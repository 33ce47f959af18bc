// SPDX-License-Identifier: Apache-2.0
/**
 * Every path by which a version can be seen or had, asked as clients ask, and held against the gate's table. What is
 * true is read from the database by a connection of its own; the table is `statusTable`, not the code that reads it.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  basenameOf,
  type DistTag,
  formatIntegrity,
  type PackageName,
  statusTable,
  type Version,
} from '@holdfast/core'
import type { Package, PackageVersion } from '../../src/catalog/index.ts'
import { type Viewing, viewPackage } from '../../src/flow/index.ts'
import { request } from '../request.ts'

/** Who asks: nobody, the package's owner, or somebody with an account and no role. */
export interface Viewer {
  readonly name: string
  readonly authorization: string | undefined
  readonly isOwner: boolean
}

/** What is true of one package. */
export interface Truth {
  readonly name: PackageName
  readonly known: Package | undefined
  readonly versions: readonly PackageVersion[]
  readonly tags: ReadonlyMap<DistTag, Version>
}

/** What is kept, judged by the policy in force: each path must say the same of it. */
export async function readTruth(ports: Viewing, name: PackageName): Promise<Truth> {
  const { catalog } = ports.store
  const kept: PackageVersion[] = []
  for await (const page of catalog.versions(name)) kept.push(...page)
  const judged = new Map((await viewPackage(ports, name))?.versions.map(facts => [facts.version, facts]))
  const versions = kept.map(each => ({ ...each, ...judged.get(each.version) }))
  return { name, known: await catalog.findPackage(name), versions, tags: await catalog.listTags(name) }
}

/** Asks every path once for each viewer; throws an assertion that names the path which disagrees. */
export async function checkPaths(url: string, truth: Truth, viewers: readonly Viewer[]): Promise<void> {
  for (const viewer of viewers) {
    const asked = new Asked(url, truth, viewer)
    const shown = await asked.checkDocuments()
    await asked.checkTags(shown)
    await Promise.all(truth.versions.map(version => asked.checkVersion(version)))
    await Promise.all(truth.versions.map(version => asked.checkTarball(version)))
    await asked.checkSearch(shown)
    await asked.checkPage()
  }
}

const inflate = {
  identity: (bytes: Buffer) => bytes,
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}
type Encoding = keyof typeof inflate
const encodings = Object.keys(inflate) as Encoding[]
const corgi = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*'

interface Document {
  readonly versions?: Readonly<
    Record<string, { version: string; deprecated?: string; dist: { integrity: string } }>
  >
  readonly 'dist-tags'?: Readonly<Record<string, string>>
  readonly policyRestrictions?: { readonly versions: Readonly<Record<string, unknown>> }
}

class Asked {
  readonly url: string
  readonly truth: Truth
  readonly viewer: Viewer
  readonly mayRead: boolean

  constructor(url: string, truth: Truth, viewer: Viewer) {
    this.url = url
    this.truth = truth
    this.viewer = viewer
    this.mayRead = truth.known?.access !== 'restricted' || viewer.isOwner
  }

  /** Both forms, each encoding, GET and HEAD, with a range; twice, so that the second comes from memory. */
  async checkDocuments(): Promise<Document | undefined> {
    let shown: Document | undefined
    for (const form of ['full', 'corgi'] as const) {
      const texts = new Set<string>()
      for (const encoding of [...encodings, 'gzip' as const]) {
        const text = await this.#document(form, encoding)
        if (text !== undefined) texts.add(text)
      }
      assert.ok(texts.size <= 1, this.#say(`${form} differs between encodings or between two reads`))
      const [text] = texts
      if (text === undefined) continue
      this.#checkDocument(form, text)
      if (form === 'full') shown = JSON.parse(text) as Document
      await this.#checkHead(form, text)
    }
    return shown
  }

  async #document(form: 'full' | 'corgi', encoding: Encoding): Promise<string | undefined> {
    const answer = await this.#get(`/npm/${this.#path()}`, {
      'accept-encoding': encoding,
      ...(form === 'corgi' ? { accept: corgi } : {}),
    })
    // A package whose every version was removed still has one: a tombstone without versions.
    const isThere = this.mayRead && this.truth.known !== undefined
    assert.equal(answer.status === 200, isThere, this.#say(`${form} packument answers ${answer.status}`))
    if (!isThere) return this.#checkHidden(answer.status, answer.body.toString(), `${form} packument`)
    // Of a small document there is not every encoding.
    const sent = (answer.headers['content-encoding'] ?? 'identity') as Encoding
    assert.ok(sent === encoding || sent === 'identity', sent)
    return inflate[sent](answer.body).toString()
  }

  #checkDocument(form: string, text: string): void {
    const document = JSON.parse(text) as Document
    const listed = this.truth.versions.filter(each => statusTable[each.status].listed)
    assert.deepEqual(
      Object.keys(document.versions ?? {}).sort(),
      listed.map(each => each.version).sort(),
      this.#say(`the ${form} packument lists other versions`),
    )
    for (const each of listed) {
      const found = document.versions?.[each.version]
      assert.equal(found?.dist.integrity, formatIntegrity(each.digest))
      const wanted = each.status === 'yanked' ? `yanked: ${each.reason}` : each.deprecated
      assert.equal(found?.deprecated ?? '', wanted, this.#say(`${form} packument: deprecation`))
    }
    for (const each of this.truth.versions) {
      if (statusTable[each.status].listed) continue
      assert.ok(
        !text.includes(formatIntegrity(each.digest)),
        this.#say(`${form} packument tells ${each.version}`),
      )
    }
    const refused = this.truth.versions.filter(each => statusTable[each.status].httpStatus === 403)
    const restricted = Object.keys(document.policyRestrictions?.versions ?? {}).sort()
    const where = this.#say(`${form} packument: policyRestrictions`)
    assert.deepEqual(restricted, refused.map(each => each.version).sort(), where)
    this.#checkShownTags(document['dist-tags'] ?? {}, `${form} packument`)
  }

  /** Tags point at what may be resolved, at a yanked version only when nothing else is left. */
  #checkShownTags(shown: Readonly<Record<string, string>>, path: string): void {
    const resolving = this.truth.versions.filter(each => statusTable[each.status].resolves)
    const listed = this.truth.versions.filter(each => statusTable[each.status].listed)
    const open = new Set<string>((resolving.length > 0 ? resolving : listed).map(each => each.version))
    for (const [tag, version] of Object.entries(shown)) {
      assert.ok(open.has(version), this.#say(`${path}: tag ${tag} points at ${version}`))
    }
    for (const [tag, version] of this.truth.tags) {
      if (open.has(version)) assert.equal(shown[tag], version, this.#say(`${path}: tag ${tag} was moved`))
    }
    assert.equal('latest' in shown, open.size > 0, this.#say(`${path}: latest`))
  }

  async #checkHead(form: string, text: string): Promise<void> {
    const headers = form === 'corgi' ? { accept: corgi } : {}
    const head = await this.#ask('HEAD', `/npm/${this.#path()}`, headers)
    assert.equal(head.status, 200)
    assert.equal(head.body.length, 0)
    assert.equal(head.headers['content-length'], String(Buffer.byteLength(text)))
    const part = await this.#get(`/npm/${this.#path()}`, { ...headers, range: 'bytes=0-9' })
    assert.ok(text.startsWith(part.body.toString()), this.#say(`a range of the ${form} packument`))
    const again = await this.#get(`/npm/${this.#path()}`, {
      ...headers,
      'if-none-match': String(head.headers['etag']),
    })
    assert.equal(again.status, 304)
  }

  /** `/-/package/{pkg}/dist-tags` and `/{pkg}/{tag}` say what the packument says. */
  async checkTags(shown: Document | undefined): Promise<void> {
    const tags = shown?.['dist-tags'] ?? {}
    const answer = await this.#get(`/npm/-/package/${this.#path()}/dist-tags`)
    if (!this.mayRead || this.truth.known === undefined) {
      this.#checkHidden(answer.status, answer.body.toString(), 'dist-tags')
    } else if (answer.status === 200) {
      assert.deepEqual(JSON.parse(answer.body.toString()), tags, this.#say('dist-tags'))
    } else {
      assert.deepEqual(tags, {}, this.#say(`dist-tags answers ${answer.status}`))
    }
    for (const tag of ['latest', 'next', 'old']) {
      const one = await this.#get(`/npm/${this.#path()}/${tag}`)
      assert.equal(one.status === 200, tag in tags, this.#say(`/${tag} answers ${one.status}`))
      if (one.status === 200)
        assert.equal(JSON.parse(one.body.toString()).version, tags[tag], this.#say(`/${tag}`))
    }
  }

  async checkVersion(version: PackageVersion): Promise<void> {
    const row = statusTable[version.status]
    for (const method of ['GET', 'HEAD']) {
      const answer = await this.#ask(method, `/npm/${this.#path()}/${version.version}`)
      const wanted = !this.mayRead ? hidden : row.listed ? 200 : row.httpStatus
      assert.equal(answer.status, wanted, this.#say(`${method} /${version.version} (${version.status})`))
      const isTold = answer.body.includes(formatIntegrity(version.digest))
      assert.equal(isTold, wanted === 200 && method === 'GET', this.#say(`/${version.version} tells`))
    }
  }

  /** Each form of its address; GET twice, HEAD, a range, a conditional one: the hot path and the long way. */
  async checkTarball(version: PackageVersion): Promise<void> {
    const { name } = this.truth
    const file = `${basenameOf(name)}-${version.version}.tgz`
    const paths = new Set([
      `${name}/-/${file}`,
      `${this.#path()}/-/${file}`,
      `${name}/-/${name}-${version.version}.tgz`,
    ])
    const row = statusTable[version.status]
    const wanted = !this.mayRead ? hidden : row.served ? 200 : row.httpStatus
    for (const path of paths) {
      for (const round of ['first', 'second', 'third']) {
        const answer = await this.#get(`/npm/${path}`)
        assert.equal(answer.status, wanted, this.#say(`${round} GET ${path} (${version.status})`))
        const digest = createHash('sha512').update(answer.body).digest('hex')
        assert.equal(digest === version.digest, wanted === 200, this.#say(`bytes of ${path}`))
        if (answer.status !== 200) continue
        const isNoted = answer.headers['npm-notice'] !== undefined
        assert.equal(isNoted, version.status === 'yanked', this.#say(`notice of ${path}`))
      }
      const head = await this.#ask('HEAD', `/npm/${path}`)
      assert.equal(head.status, wanted, this.#say(`HEAD ${path} (${version.status})`))
      const part = await this.#get(`/npm/${path}`, { range: 'bytes=0-1' })
      assert.equal(
        part.status,
        wanted === 200 ? 206 : wanted,
        this.#say(`range of ${path} (${version.status})`),
      )
      const etag = `"${version.digest.slice(0, 32)}"`
      const again = await this.#get(`/npm/${path}`, { 'if-none-match': etag })
      assert.equal(
        again.status,
        wanted === 200 ? 304 : wanted,
        this.#say(`if-none-match ${path} (${version.status})`),
      )
    }
  }

  /** Found exactly when `latest` shows a version that may be found, and then with that version. */
  async checkSearch(shown: Document | undefined): Promise<void> {
    const answer = await this.#get(`/npm/-/v1/search?text=${encodeURIComponent(this.truth.name)}`)
    assert.equal(answer.status, 200)
    const { objects } = JSON.parse(answer.body.toString()) as {
      objects: { package: { name: string; version: string } }[]
    }
    const found = objects.find(each => each.package.name === this.truth.name)?.package.version
    const latest = shown?.['dist-tags']?.['latest']
    const target = this.truth.versions.find(each => each.version === latest)
    const wanted = target !== undefined && statusTable[target.status].searchable ? latest : undefined
    assert.equal(found, wanted, this.#say('search'))
  }

  /** A page mentions no version that outsiders must not know of, and does not exist for who may not read. */
  async checkPage(): Promise<void> {
    for (const tab of ['', '?show=versions']) {
      const answer = await this.#get(`/package/npm/${this.truth.name}${tab}`)
      const secret = this.truth.versions.filter(each => statusTable[each.status].httpStatus === 404)
      const isSecret = secret.length === this.truth.versions.length
      if (!this.mayRead || isSecret) assert.equal(answer.status, 404, this.#say('page'))
      for (const { version } of secret) {
        assert.ok(!answer.body.includes(version), this.#say(`the page tells ${version}`))
      }
    }
  }

  #checkHidden(status: number, text: string, path: string): undefined {
    const wanted = this.mayRead ? 404 : hidden
    assert.equal(status, wanted, this.#say(path))
    for (const { digest } of this.truth.versions)
      assert.ok(!text.includes(formatIntegrity(digest)), this.#say(path))
    return undefined
  }

  #path(): string {
    return this.truth.name.replace('/', '%2f')
  }

  #get(path: string, headers: Readonly<Record<string, string>> = {}) {
    return this.#ask('GET', path, headers)
  }

  #ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
    const { authorization } = this.viewer
    return request(this.url, method, path, { ...headers, ...(authorization ? { authorization } : {}) })
  }

  #say(what: string): string {
    return `${what}, asked by ${this.viewer.name} for ${this.truth.name}`
  }
}

/** What a private package answers where anyone may read: what a missing one does, since 401 would tell that it exists. */
const hidden = 404
