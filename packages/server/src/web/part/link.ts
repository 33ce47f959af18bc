// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'

/** The address of a package's page; the slash and the `@` of a scope stay readable. */
export function packagePath(name: string, query: Readonly<Record<string, string>> = {}): string {
  const path = `/package/npm/${name.split('/').map(encodeURIComponent).join('/').replace(/^%40/, '@')}`
  const search = new URLSearchParams(query).toString()
  return search === '' ? path : `${path}?${search}`
}

/** The address of a package's people and settings. */
export function accessPath(name: string): string {
  return packagePath(name).replace(/^\/package\//, '/access/')
}

/** The page on which a name changes hands. */
export function transferPath(name: string): string {
  return packagePath(name).replace(/^\/package\//, '/transfer/')
}

/** The address on which whoever maintains a package freezes it. */
export function freezePath(name: string): string {
  return packagePath(name).replace(/^\/package\//, '/freeze/')
}

/** The address of the page that says why a version can be installed or cannot. */
export function whyPath(name: string, version: string): string {
  return `${packagePath(name).replace(/^\/package\//, '/why/')}/${encodeURIComponent(version)}`
}

/** The address of the page on which people decide on a staged version. */
export function stagedPath(name: string, id: string): string {
  return `${packagePath(name)}/staged/${id}`
}

/** The address of a package's trusted publishers. */
export function publishersPath(name: string): string {
  return packagePath(name).replace(/^\/package\//, '/publishers/')
}

/** An address out of a package that may stand in a link: http or https, nothing else (`javascript:`, `data:`). */
export function webAddress(value: unknown): URL | undefined {
  if (typeof value !== 'string' || value.length > 2000 || !URL.canParse(value)) return undefined
  const url = new URL(value)
  if ((url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '')
    return undefined
  return url
}

/** A link that leads away from here: it says where, passes on no reputation and no address of ours. */
export function awayLink(url: URL, text = url.host + (url.pathname === '/' ? '' : url.pathname)): Markup {
  return html`<a href="${url.href}" rel="nofollow noopener noreferrer ugc">${text}</a>`
}

const hosts =
  /^(?:git\+)?(?:(?:https?|ssh|git):\/\/)?(?:[^@/]+@)?((?:github|gitlab|codeberg|bitbucket)\.(?:com|org))[/:]([\w.-]+)\/([\w.-]+?)(?:\.git)?(?:[/#].*)?$/
const shorthand = /^(?:(github|gitlab|bitbucket):)?([\w.-]+)\/([\w.-]+)$/

/** The page behind `repository` of a package.json, in any of the forms npm allows. */
export function repositoryAddress(value: unknown): URL | undefined {
  const text = typeof value === 'object' && value !== null ? (value as { url?: unknown }).url : value
  if (typeof text !== 'string') return undefined
  const known = hosts.exec(text)
  if (known !== null) return webAddress(`https://${known[1]}/${known[2]}/${known[3]}`)
  const short = shorthand.exec(text)
  if (short !== null) {
    const site = short[1] ?? 'github'
    return webAddress(`https://${site}.${site === 'bitbucket' ? 'org' : 'com'}/${short[2]}/${short[3]}`)
  }
  return webAddress(text.replace(/^git\+/, '').replace(/\.git$/, ''))
}

/** Where a package, or the version that is looked at, is reported. */
export function reportPath(name: string, version: string | undefined): string {
  const about = new URLSearchParams({ package: name, ...(version === undefined ? {} : { version }) })
  return `/report?${about}`
}
