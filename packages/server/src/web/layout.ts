// SPDX-License-Identifier: Apache-2.0

import type { Problem } from '@holdfast/core'
import manifest from '../../package.json' with { type: 'json' }
import type { Config } from '../config.ts'
import type { Actor } from '../identity/index.ts'
import { assetPath } from './asset.ts'
import { findVisitor, type PageContext, type Visitor } from './context.ts'
import { pageHeaders, retryHeaders } from './header.ts'
import { html, type Markup, nothing } from './markup.ts'
import { operatePath } from './page/operate-tab.ts'

/** The release that runs. */
export const release: string = manifest.version

/** One page: its content, and what stands around it. */
export interface Sheet {
  readonly title: string
  readonly main: Markup
  /** The column of facts beside the content. */
  readonly facts?: Markup
  readonly status?: number
  /** What went wrong, where the page still stands: gives the status, and when to try again. */
  readonly trouble?: Problem | undefined
  /** What the search box in the head shows. */
  readonly query?: string
  /** The home page has a search box of its own. */
  readonly hasSearch?: boolean
  /** Where the sign-in link comes back to. */
  readonly path?: string
}

interface Rendered {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

/** A page as the answer to a request. */
export function sheet(c: PageContext, content: Sheet): Response {
  const { ports, call } = c.env
  const { status, headers, body } = renderSheet(ports.config, call.actor, { path: call.url, ...content })
  return new Response(body, { status, headers })
}

/** A page as status, headers and text, for whoever has no context. */
export function renderSheet(config: Config, actor: Actor, content: Sheet): Rendered {
  const visitor = findVisitor(actor)
  const host = new URL(config.publicUrl).host
  const body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${content.title} · ${host}</title>
<link rel="stylesheet" href="${assetPath('style.css')}">
<link rel="icon" type="image/svg+xml" href="${assetPath('icon.svg')}">
<script type="module" src="${assetPath('copy.js')}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${head(host, visitor, content)}
<div class="page ${content.facts === undefined ? '' : 'with-facts'}">
<main id="main" tabindex="-1">${content.main}</main>
${content.facts === undefined ? nothing : html`<aside aria-label="Facts">${content.facts}</aside>`}
</div>
${foot()}
</body>
</html>`
  const { status, trouble } = content
  const headers = { ...pageHeaders(config), ...retryHeaders(trouble) }
  return { status: status ?? trouble?.status ?? 200, headers, body: body.toString() }
}

function head(host: string, visitor: Visitor | undefined, content: Sheet): Markup {
  return html`<header class="top"><div class="bar">
<a class="brand" href="/">${mark}<span>Holdfast <span class="host">${host}</span></span></a>
${content.hasSearch === false ? nothing : searchBox(content.query ?? '')}
<nav aria-label="Main">
<a href="/use">Use this registry</a>
${operateLink(visitor)}
${visitor === undefined ? signInLink(content.path) : accountLinks(visitor)}
</nav>
</div></header>`
}

const mark = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path d="M16 4v13M16 17c0 5-3 9-9 9M16 17c0 5 3 9 9 9M16 17v11M16 10c-3 0-6-2-6-5M16 10c3 0 6-2 6-5"/></svg>`

/** The box that every page has; a form that works without a script. */
export function searchBox(query: string): Markup {
  return html`<form class="search" action="/search" method="get" role="search">
<input type="search" name="q" value="${query}" aria-label="Search packages" placeholder="Search packages" maxlength="200" autocomplete="off">
<button type="submit">Search</button>
</form>`
}

function operateLink(visitor: Visitor | undefined): Markup {
  const path = operatePath(visitor)
  return path === undefined ? nothing : html`<a href="${path}">Operate</a>`
}

function signInLink(path: string | undefined): Markup {
  const next = path === undefined || path === '/' ? '' : `?next=${encodeURIComponent(path)}`
  return html`<a href="/sign-in${next}">Sign in</a>`
}

function accountLinks(visitor: Visitor): Markup {
  return html`<a href="/account">${visitor.login}</a>
<form action="/sign-out" method="post"><button class="link" type="submit">Sign out</button></form>`
}

function foot(): Markup {
  return html`<footer class="bottom"><div class="bar">
<span>Holdfast ${release}</span>
<nav aria-label="More">
<a href="/use">Use this registry</a>
<a href="/security">Security</a>
<a href="/log">Transparency log</a>
<a href="/advisories">Advisories</a>
<a href="/report">Report something</a>
<a href="/transparency">Transparency report</a>
<a href="/policy/tokens">Rules for tokens</a>
<a href="/policy">Policies</a>
<a href="/status">Status</a>
<a href="/npm/-/npm/v1/keys">Signing keys</a>
</nav>
</div></footer>`
}
