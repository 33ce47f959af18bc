// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'
import { repositoryAddress } from '../part/link.ts'
import { renderReadme } from '../readme-render.ts'
import type { ShownPackage } from './package-read.ts'

/** What npm publishes in place of a README that is not there. */
const placeholder = 'ERROR: No README data found!'

/** What the package says of itself, cleaned; not while nothing of it may be used. */
export async function readmeTab(shown: ShownPackage): Promise<Markup> {
  const { name, origin, revision, readme, manifest, decision } = shown
  if (decision?.listed !== true)
    return html`<p>The README is not shown while this version cannot be used.</p>`
  if (['', placeholder].includes(readme.trim())) return html`<p>This package has no README.</p>`
  const repository = repositoryAddress(manifest['repository'])
  const key = `${name} ${origin} ${revision} ${repository?.href}`
  return html`<article class="readme">${await renderReadme(key, readme, { repository })}</article>`
}
