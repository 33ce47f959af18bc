// SPDX-License-Identifier: Apache-2.0
import {
  type DistTag,
  type PackageName,
  parseDistTag,
  parsePackageName,
  parseVersion,
  problem,
} from '@holdfast/core'
import * as v from 'valibot'
import { admit, expectScreening, publish, type Upload } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { headerText, json } from '../answer.ts'
import { parseBody } from '../body.ts'
import { defaultPublishBodyLimits, type PublishBody, readPublishBody } from '../publish-body.ts'
import { type Params, type Route, route } from '../router.ts'
import { changeDocument } from './package-write.ts'

const published = v.looseObject({
  name: v.string(),
  'dist-tags': v.optional(v.record(v.string(), v.string()), {}),
  versions: v.record(v.string(), v.looseObject({ dist: v.optional(v.looseObject({}), {}) })),
  access: v.nullish(v.picklist(['public', 'restricted'])),
  readme: v.optional(v.string()),
})

/** Said of a version that the log does not show yet. */
export const notYetVisible =
  'is accepted and not yet visible: it appears by itself once the transparency log has it.'

/** What a publisher hears of a version that is held. */
export function heldWords(reason: string): string {
  return `held: ${reason}. Nobody can install it until then, its number stays taken, and its people are told by mail how it ends.`
}

/** `PUT /{pkg}` means publish, deprecate or star: its body tells (protocol reference, section 7). */
export const publishRoutes: readonly Route[] = [route('PUT /:pkg', putPackage)]

async function putPackage(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const name = parsePackageName(params['pkg'])
  // Who may not write this package is refused before a byte of a large body is stored.
  if (Number(call.headers['content-length'] ?? 0) > 1024 * 1024 || call.actor.kind === 'nobody')
    await admit(ports, call.actor, name)
  if (call.actor.kind !== 'nobody') expectScreening(ports)
  const body = await readBody(ports, call)
  if (body.tarballs.length === 0 && body.texts.length === 0)
    return changeDocument(ports, call, name, body.document)
  return withUpload(ports, name, body, async upload => {
    const done = await publish(ports, call.actor, upload)
    const told = done.held
      ? `${name}@${done.version} is kept and ${heldWords(done.held)}`
      : done.isVisible
        ? done.advice
        : `${name}@${done.version} ${notYetVisible}`
    const notice: Record<string, string> = told === '' ? {} : { 'npm-notice': headerText(told) }
    return json(201, { ok: true, success: true, id: name, rev: done.version }, notice)
  })
}

/** The body of a publish, its bytes in files of their own. */
export async function readBody(ports: Ports, call: Call): Promise<PublishBody> {
  const limits = {
    ...defaultPublishBodyLimits,
    maxBodyBytes: Math.ceil(ports.config.maxTarballBytes * 1.4) + defaultPublishBodyLimits.maxDocumentBytes,
  }
  return readPublishBody(call.body(limits.maxBodyBytes), limits, () => ports.blobs.begin())
}

/** What is to be done with the one version in a body; nothing of it is left behind. */
export async function withUpload(
  ports: Ports,
  name: PackageName,
  body: PublishBody,
  work: (upload: Upload) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work(toUpload(ports, name, body))
  } finally {
    await Promise.all(body.tarballs.map(tarball => tarball.writer.discard()))
  }
}

/** The body as one upload: exactly one version, one tag, one tarball. Throws `invalid-body`. */
function toUpload(ports: Ports, name: PackageName, body: PublishBody): Upload {
  const document = parseBody(body.document, published)
  if (document.name !== name) throw problem('invalid-body', { why: 'its name is not the one in the address' })
  const [tarball, ...moreTarballs] = body.tarballs
  const [entry, ...moreVersions] = Object.entries(document.versions)
  const [tag, ...moreTags] = Object.entries(document['dist-tags'])
  if (tarball === undefined || moreTarballs.length > 0)
    throw problem('invalid-body', { why: 'it must hold exactly one tarball' })
  if (entry === undefined || moreVersions.length > 0)
    throw problem('invalid-body', { why: 'it must hold exactly one version' })
  if (moreTags.length > 0) throw problem('invalid-body', { why: 'it must hold exactly one tag' })
  const [version, manifest] = entry
  if (manifest['version'] !== version || manifest['name'] !== name)
    throw problem('invalid-body', { why: 'its version object is of another name or version' })
  if (tag !== undefined && tag[1] !== version)
    throw problem('invalid-body', { why: 'its tag points at another version' })
  if (tarball.writer.digests().sizeBytes > ports.config.maxTarballBytes)
    throw problem('body-too-large', { limit: ports.config.maxTarballBytes })
  return {
    name,
    version: parseVersion(version),
    tag: tag === undefined ? ('latest' as DistTag) : parseDistTag(tag[0]),
    access: document.access ?? undefined,
    manifest,
    readme: text(manifest['readme']) ?? document.readme,
    integrity: text(manifest.dist['integrity']) ?? '',
    shasum: text(manifest.dist['shasum']) ?? '',
    tarball: tarball.writer,
    bundle: bundleOf(body, `${name}-${version}.sigstore`),
  }
}

/** The Sigstore bundle among the texts, under the one name it may have. */
function bundleOf({ texts }: PublishBody, name: string): string | undefined {
  const [bundle, ...more] = texts.filter(each => each.name.endsWith('.sigstore'))
  if (more.length > 0) throw problem('invalid-body', { why: 'it must hold at most one bundle of provenance' })
  if (bundle !== undefined && bundle.name !== name)
    throw problem('invalid-body', { why: 'its bundle of provenance is of another name or version' })
  return bundle?.data
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
