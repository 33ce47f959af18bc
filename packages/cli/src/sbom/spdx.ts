// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { type Bill, contentId, type OwnPart, type Part } from './bill.ts'
import type { License } from './license.ts'

const nothing = 'NOASSERTION'
/** The format wants a time; this one says that nobody asked for one. */
const noTime = '1970-01-01T00:00:00Z'

/** A bill in SPDX 2.3; `made` is when, where somebody wants to know. */
export function formatSpdx(bill: Bill, toolVersion: string, made: string | undefined): unknown {
  const [project, ...workspaces] = bill.own
  const words = new Map<string, string>()
  const declare = (license: License | undefined) => {
    if (license === undefined) return nothing
    if (license.kind === 'expression') return license.text
    const id = `LicenseRef-${hashOf(license.text)}`
    words.set(id, license.text)
    return id
  }
  const packages = [
    ...bill.own.map(each => toOwn(each, declare)),
    ...bill.parts.map(each => toPackage(each, declare)),
  ]
  const content = { name: project.name, packages, relationships: listRelationships(bill, workspaces) }
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(project.name)}-${contentId(content)}`,
    creationInfo: { created: made ?? noTime, creators: [`Tool: holdfast-${toolVersion}`] },
    ...content,
    ...(words.size === 0
      ? {}
      : {
          hasExtractedLicensingInfos: [...words].map(([licenseId, extractedText]) => ({
            licenseId,
            extractedText,
          })),
        }),
  }
}

type Declare = (license: License | undefined) => string

function toOwn({ ref, name, version, purl, license }: OwnPart, declare: Declare): unknown {
  return {
    SPDXID: idOf(ref),
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    downloadLocation: nothing,
    filesAnalyzed: false,
    primaryPackagePurpose: 'APPLICATION',
    licenseConcluded: nothing,
    licenseDeclared: declare(license),
    copyrightText: nothing,
    ...(purl === undefined ? {} : { externalRefs: [toPurl(purl)] }),
  }
}

function toPackage(
  { ref, name, version, purl, sha512, license, address, attestation }: Part,
  declare: Declare,
): unknown {
  const attested =
    attestation === undefined
      ? []
      : [
          {
            referenceCategory: 'OTHER',
            referenceType: 'attestation',
            referenceLocator: attestation.url,
            ...(attestation.kind === '' ? {} : { comment: attestation.kind }),
          },
        ]
  return {
    SPDXID: idOf(ref),
    name,
    versionInfo: version,
    downloadLocation: address ?? nothing,
    filesAnalyzed: false,
    primaryPackagePurpose: 'LIBRARY',
    ...(sha512 === undefined ? {} : { checksums: [{ algorithm: 'SHA512', checksumValue: sha512 }] }),
    licenseConcluded: nothing,
    licenseDeclared: declare(license),
    copyrightText: nothing,
    externalRefs: [toPurl(purl), ...attested],
  }
}

function toPurl(purl: string): unknown {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }
}

function listRelationships({ own, parts }: Bill, workspaces: readonly OwnPart[]): readonly unknown[] {
  const relate = (from: string, relationshipType: string, to: string) => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  })
  const scopes = new Map(parts.map(({ ref, scope }) => [ref, scope]))
  return [
    relate('SPDXRef-DOCUMENT', 'DESCRIBES', idOf(own[0].ref)),
    ...workspaces.map(({ ref }) => relate(idOf(own[0].ref), 'CONTAINS', idOf(ref))),
    ...own.flatMap(({ ref, needs }) =>
      needs.map(each => {
        // The other way round, as the specification has them.
        if (each.isDev) return relate(idOf(each.ref), 'DEV_DEPENDENCY_OF', idOf(ref))
        if (scopes.get(each.ref) === 'optional')
          return relate(idOf(each.ref), 'OPTIONAL_DEPENDENCY_OF', idOf(ref))
        return relate(idOf(ref), 'DEPENDS_ON', idOf(each.ref))
      }),
    ),
    ...parts.flatMap(({ ref, needs }) => needs.map(need => relate(idOf(ref), 'DEPENDS_ON', idOf(need)))),
  ]
}

/** Letters, digits, dots and hyphens, and never the same twice. */
function idOf(ref: string): string {
  return `SPDXRef-${ref
    .replace(/^pkg:npm\//, '')
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .slice(0, 80)}-${hashOf(ref)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
