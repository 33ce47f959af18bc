// SPDX-License-Identifier: Apache-2.0
import type { BuildFacts } from '../../integrity/index.ts'
import { html, type Markup } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { awayLink, repositoryAddress } from '../part/link.ts'
import { sourceFacts } from '../part/provenance.ts'
import type { ShownPackage, ShownVersion } from './package-read.ts'

/** What a version was built from, or what its publisher says of that where nobody proved it. */
export function sourceWords({ manifest, decision }: ShownPackage, build: BuildFacts | undefined): Markup {
  const declared = repositoryAddress(manifest['repository'])
  if (build !== undefined) return sourceFacts(build, declared)
  if (declared === undefined) return html`<p>The package names no repository.</p>`
  // Whoever made what is quarantined gets no visitors from here.
  const where = decision?.listed === true ? awayLink(declared) : html`<bdi>${declared.host}</bdi>`
  return html`<p>The publisher names ${where}.</p><p class="small">Nobody checked that these bytes come from there.</p>`
}

/** Whether installing it runs code of its own. */
export function scriptBadge({ hasInstallScript }: ShownVersion): Markup {
  return hasInstallScript ? badge('runs scripts', 'warn', '!') : badge('none', 'good', '✓')
}
