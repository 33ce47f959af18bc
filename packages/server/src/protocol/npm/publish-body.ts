// SPDX-License-Identifier: Apache-2.0
/**
 * The body of `PUT /{pkg}` (npm-protocol 6.1): one JSON document with the tarball in it as base64. It is read as a
 * stream, so that a tarball of any size costs no memory: its bytes go to a blob writer while they arrive.
 */
import { isUtf8 } from 'node:buffer'
import { excerpt, isProblem, parseJson, problem } from '@holdfast/core'
import type { BlobWriter } from '../../ports.ts'
import { type PublishBodyLimits, PublishBodyScanner, type ScannedTarball } from './publish-body-scan.ts'

export type { PublishBodyLimits } from './publish-body-scan.ts'

/** A tarball of the body, written but not kept yet: keep or discard its writer. */
export interface PublishedTarball {
  /** The attachment's key, with scope and slash: never a file name. */
  readonly name: string
  readonly contentType?: string
  readonly claimedLength?: number
  readonly writer: BlobWriter
}

/** An attachment that is plain text: a provenance bundle. */
export interface PublishedText {
  readonly name: string
  readonly contentType: string
  readonly data: string
}

/** A publish document taken apart. */
export interface PublishBody {
  /** The document; where a tarball's data was is an empty string. */
  readonly document: Record<string, unknown>
  readonly tarballs: readonly PublishedTarball[]
  readonly texts: readonly PublishedText[]
}

/** Limits for packages as they are found on the public registries. */
export const defaultPublishBodyLimits: PublishBodyLimits = {
  maxBodyBytes: 512 * 1024 * 1024,
  maxDocumentBytes: 32 * 1024 * 1024,
}

/**
 * Reads the body of a PUT of a package document, with or without attachments. Throws `invalid-body` or
 * `body-too-large`; whatever it throws, every writer it began is discarded.
 */
export async function readPublishBody(
  body: AsyncIterable<Uint8Array>,
  limits: PublishBodyLimits,
  begin: () => Promise<BlobWriter>,
): Promise<PublishBody> {
  const scanner = new PublishBodyScanner(limits, begin)
  try {
    for await (const chunk of body) {
      await scanner.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    }
    return takeApart(parseDocument(scanner.document()), scanner.tarballs())
  } catch (caught) {
    await Promise.allSettled(scanner.tarballs().map(tarball => tarball.writer.discard()))
    throw caught
  }
}

function parseDocument(bytes: Buffer): Record<string, unknown> {
  // Replacement characters would make two different names equal.
  if (!isUtf8(bytes)) throw refuse('it is not UTF-8')
  const document = parseText(bytes.toString('utf8'))
  if (!isObject(document)) throw refuse('it is not an object')
  return document
}

function parseText(text: string): unknown {
  try {
    return parseJson(text)
  } catch (caught) {
    throw isProblem(caught) ? refuse(String(caught.data['why'])) : caught
  }
}

function takeApart(document: Record<string, unknown>, scanned: readonly ScannedTarball[]): PublishBody {
  const attachments = document['_attachments'] ?? {}
  if (!isObject(attachments)) throw refuse('_attachments is not an object')
  const entries = Object.entries(attachments)
  const tarballs = entries.filter(([name]) => name.endsWith('.tgz'))
  const texts = entries.filter(([name]) => !name.endsWith('.tgz'))
  return {
    document,
    tarballs: tarballs.map(([name, attachment]) => matchTarball(name, attachment, scanned)),
    texts: texts.map(([name, attachment]) => readText(name, attachment)),
  }
}

function matchTarball(
  name: string,
  attachment: unknown,
  scanned: readonly ScannedTarball[],
): PublishedTarball {
  const tarball = scanned.find(one => one.name === name)
  if (tarball === undefined || !isObject(attachment))
    throw refuse(`the attachment '${excerpt(name)}' has no data`)
  const { content_type: contentType, length } = attachment
  if (length !== undefined && length !== tarball.sizeBytes) {
    throw refuse(`'${excerpt(name)}' has ${tarball.sizeBytes} bytes and claims ${excerpt(String(length))}`)
  }
  return {
    name,
    ...(typeof contentType === 'string' && { contentType }),
    ...(length !== undefined && { claimedLength: tarball.sizeBytes }),
    writer: tarball.writer,
  }
}

function readText(name: string, attachment: unknown): PublishedText {
  if (!isObject(attachment) || typeof attachment['data'] !== 'string') {
    throw refuse(`the attachment '${excerpt(name)}' has no data`)
  }
  const { content_type: contentType, data, length } = attachment
  // npm counts UTF-16 units, others count bytes.
  if (length !== undefined && length !== data.length && length !== Buffer.byteLength(data)) {
    throw refuse(`'${excerpt(name)}' has ${data.length} characters and claims ${excerpt(String(length))}`)
  }
  return { name, contentType: typeof contentType === 'string' ? contentType : '', data }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(why: string) {
  return problem('invalid-body', { why })
}
