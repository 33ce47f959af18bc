// SPDX-License-Identifier: Apache-2.0
import { createGunzip } from 'node:zlib'
import {
  type DistTag,
  excerpt,
  type PackageName,
  parsePackageName,
  parseVersion,
  problem,
  type Version,
} from '@holdfast/core'
import {
  noteDownload,
  openTarball,
  readAttestations,
  readDocument,
  readVersion,
  type TarballFlow,
  viewWith,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import { authorize } from '../../../identity/index.ts'
import type { BlobReader, Ports, ReadyDocument } from '../../../ports.ts'
import { headerText, json } from '../answer.ts'
import { chooseEncoding, isUnchanged } from '../hot-path.ts'
import { type Params, type Route, route } from '../router.ts'
import { type Tarballs, tarballHeaders } from '../tarballs.ts'

/** Reading: packuments, single versions, tarballs, keys, ping. */
export function readRoutes(tarballs: Tarballs): readonly Route[] {
  return [
    route('GET /:pkg', packument),
    route('GET /:pkg/-/*', (ports, call, params) => tarball(ports, call, params, tarballs)),
    route('GET /-/ping', async () => json(200, {}), { openToBadCredentials: true }),
    route('GET /-/npm/v1/keys', async ports =>
      // npm keeps what it may: with keys from before a rotation it would take new signatures for forged.
      json(200, { keys: ports.signer.publicKeys }, { 'cache-control': 'no-cache' }),
    ),
    route('GET /-/npm/v1/attestations/:pkg', attestations),
    route('GET /-/attestations/v1/:pkg', attestations),
  ]
}

/** Last in the table: `GET /{pkg}/{version or tag}` would swallow other two-part paths. */
export const versionRoutes: readonly Route[] = [route('GET /:pkg/:version', oneVersion)]

async function packument(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const corgi = call.headers.accept?.includes('application/vnd.npm.install-v1+json') ?? false
  // Reads before a write carry npm's abbreviated `accept` too, but need `_rev`.
  const form = corgi && !call.query.has('write') ? 'corgi' : 'full'
  const document = await readDocument(ports, call.actor, parsePackageName(params['pkg']), form)
  const warning = warningOf(document)
  if (isUnchanged(call.headers['if-none-match'], document.etag))
    return { status: 304, headers: { ...pairs(document.unchanged), ...warning } }
  const variant = document.variants[chooseEncoding(call.headers['accept-encoding'], document.variants)]
  if (variant === undefined) return inflated(document, warning)
  return withRange(call, {
    status: 200,
    headers: { ...pairs(variant.headers), ...warning },
    body: variant.body,
  })
}

/** That an answer may be out of date, in HTTP's words (RFC 7234, section 5.5). */
function warningOf({ warning }: ReadyDocument): Record<string, string> {
  if (warning === '') return {}
  return { warning: warning === 'stale' ? '110 - "Response is Stale"' : '111 - "Revalidation Failed"' }
}

/** For the rare client that takes no encoding, inflated as it reads: a large document never lies in memory whole. */
function inflated({ variants }: ReadyDocument, warning: Record<string, string>): Answer {
  const { 'content-encoding': _, 'content-length': __, ...headers } = pairs(variants.gzip?.headers ?? [])
  const flow = createGunzip()
  flow.end(variants.gzip?.body)
  return { status: 200, headers: { ...headers, ...warning }, flow }
}

async function oneVersion(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const name = parsePackageName(params['pkg'])
  const version = await resolveVersion(ports, call, name, params['version'] ?? '')
  return {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, max-age=0, must-revalidate',
    },
    body: await readVersion(ports, call.actor, name, version),
  }
}

/** As they were published, or as the upstream served them: `@scope/name@1.2.3` stands at the end of the path. */
async function attestations(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const [, name, version] = /^(.+)@([^@]+)$/.exec(params['pkg'] ?? '') ?? []
  if (name === undefined || version === undefined) throw problem('not-found')
  return {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, max-age=0, must-revalidate',
      'x-content-type-options': 'nosniff',
    },
    body: await readAttestations(ports, call.actor, parsePackageName(name), parseVersion(version)),
  }
}

/** A tag or a version. pnpm asks for `latest` this way: of what is not there it wants a 404, whatever its name. */
async function resolveVersion(ports: Ports, call: Call, name: PackageName, wanted: string): Promise<Version> {
  await authorize(ports, call.actor, 'package:read', name)
  const view = await viewWith(ports, name, wanted)
  if (view === undefined) throw problem('package-not-found', { name })
  const version =
    view.tags.get(wanted as DistTag) ?? view.versions.find(each => each.version === wanted)?.version
  if (version === undefined) throw problem('version-not-found', { name, version: excerpt(wanted) })
  return version
}

async function tarball(ports: Ports, call: Call, params: Params, tarballs: Tarballs): Promise<Answer> {
  const name = parsePackageName(params['pkg'])
  // Old lock files hold `/@acme/ui/-/@acme/ui-1.0.0.tgz`: the file is what stands behind the last slash.
  const file = (params['rest'] ?? '').replace(/^@[^/]+\//, '')
  const epoch = tarballs.epoch()
  const grant = await openTarball(ports, call.actor, name, file)
  if (call.method === 'GET') {
    noteDownload(
      ports,
      call.actor,
      name,
      grant.version,
      'from' in call.actor ? call.actor.from.address : '',
      call.headers['user-agent'] ?? '',
    )
  }
  if ('bytes' in grant) return flowing(grant)
  const { headers, etag, unchanged } = tarballHeaders(grant.digest, grant.access, grant.sizeBytes)
  const notice: Record<string, string> = grant.notice === '' ? {} : { 'npm-notice': headerText(grant.notice) }
  if (isUnchanged(call.headers['if-none-match'], etag)) return { status: 304, headers: pairs(unchanged) }
  const reader = await ports.blobs.open(grant.digest)
  if (reader === undefined) throw problem('unavailable')
  tarballs.remember(call.url, grant, epoch)
  return ranged(call, reader, { ...pairs(headers), ...notice }, etag)
}

/** While it comes in: nobody may keep it by these headers before its end, which says that it is whole. */
function flowing({ digest, sizeBytes, bytes }: TarballFlow): Answer {
  const length = sizeBytes === undefined ? {} : { 'content-length': String(sizeBytes) }
  const headers = pairs(tarballHeaders(digest, 'public', 0).headers)
  const { 'content-length': _, 'accept-ranges': __, ...kept } = headers
  return { status: 200, headers: { ...kept, ...length }, flow: bytes }
}

/** One byte range (RFC 9110, 14.2) when it is asked for and still of the same bytes; several are answered whole. */
async function ranged(
  call: Call,
  reader: BlobReader,
  headers: Record<string, string>,
  etag: string,
): Promise<Answer> {
  const size = reader.sizeBytes
  const ifRange = call.headers['if-range']
  const range = ifRange === undefined || ifRange === etag ? parseRange(call.headers.range, size) : undefined
  if (range === 'unsatisfiable') {
    await reader.close()
    throw problem('range-not-satisfiable', { size })
  }
  if (range === undefined) return { status: 200, headers, stream: { reader, start: 0, length: size } }
  const { start, end } = range
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${size}` },
    stream: { reader, start, length: end - start + 1 },
  }
}

function withRange(call: Call, answer: Answer & { body: Uint8Array }): Answer {
  const range =
    call.headers['if-range'] === undefined ? parseRange(call.headers.range, answer.body.length) : undefined
  if (range === undefined) return answer
  if (range === 'unsatisfiable') throw problem('range-not-satisfiable', { size: answer.body.length })
  const body = answer.body.subarray(range.start, range.end + 1)
  const headers = {
    ...answer.headers,
    'content-length': String(body.length),
    'content-range': `bytes ${range.start}-${range.end}/${answer.body.length}`,
  }
  return { status: 206, headers, body }
}

/** A single `bytes=` range as first and last position; undefined when there is none to honour. */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (found === null || (found[1] === '' && found[2] === '')) return undefined
  const [first, last] = [found[1] ?? '', found[2] ?? '']
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < start) return undefined
  return start >= size || start > end ? 'unsatisfiable' : { start, end }
}

function pairs(headers: readonly string[]): Record<string, string> {
  const made: Record<string, string> = {}
  for (let i = 0; i + 1 < headers.length; i += 2) made[headers[i] ?? ''] = headers[i + 1] ?? ''
  return made
}
