// SPDX-License-Identifier: Apache-2.0
import { type Bill, contentId, type OwnPart, type Part } from './bill.ts'
import type { License } from './license.ts'

const scopeWords = { required: 'required', optional: 'optional', dev: 'excluded' } as const

/** A bill in CycloneDX 1.6; `made` is when, where somebody wants to know. */
export function formatCycloneDx(bill: Bill, toolVersion: string, made: string | undefined): unknown {
  const [project, ...workspaces] = bill.own
  const dependencies = [
    {
      ref: project.ref,
      dependsOn: [...workspaces.map(({ ref }) => ref), ...project.needs.map(({ ref }) => ref)],
    },
    ...workspaces.map(({ ref, needs }) => ({ ref, dependsOn: needs.map(each => each.ref) })),
    ...bill.parts.map(({ ref, needs }) => ({ ref, dependsOn: needs })),
  ]
  const content = {
    metadata: {
      ...(made === undefined ? {} : { timestamp: made }),
      lifecycles: [{ phase: 'pre-build' }],
      tools: { components: [{ type: 'application', name: 'holdfast', version: toolVersion }] },
      component: toOwn(project),
    },
    components: [...workspaces.map(toOwn), ...bill.parts.map(toComponent)],
    dependencies,
  }
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${contentId(content)}`,
    version: 1,
    ...content,
  }
}

function toOwn({ ref, name, version, purl, license }: OwnPart): unknown {
  return {
    type: 'application',
    'bom-ref': ref,
    ...splitName(name),
    ...(version === undefined ? {} : { version }),
    ...toLicenses(license),
    ...(purl === undefined ? {} : { purl }),
  }
}

function toComponent(part: Part): unknown {
  const { ref, name, version, purl, scope, sha512, license, address, attestation } = part
  const hashes = sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: sha512 }] }
  const references = [
    ...(address === undefined ? [] : [{ type: 'distribution', url: address, ...hashes }]),
    ...(attestation === undefined
      ? []
      : [
          {
            type: 'attestation',
            url: attestation.url,
            ...(attestation.kind === '' ? {} : { comment: attestation.kind }),
          },
        ]),
  ]
  return {
    type: 'library',
    'bom-ref': ref,
    ...splitName(name),
    version,
    scope: scopeWords[scope],
    ...hashes,
    ...toLicenses(license),
    purl,
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(scope === 'dev' ? { properties: [{ name: 'cdx:npm:package:development', value: 'true' }] } : {}),
  }
}

function splitName(name: string): { group?: string; name: string } {
  const [scope, base] = name.split('/')
  return name.startsWith('@') && scope !== undefined && base !== undefined
    ? { group: scope, name: base }
    : { name }
}

function toLicenses(license: License | undefined): object {
  if (license === undefined) return {}
  const entry =
    license.kind === 'expression' ? { expression: license.text } : { license: { name: license.text } }
  return { licenses: [entry] }
}
