// SPDX-License-Identifier: Apache-2.0
import { searchPackages } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'
import { plural } from '../part/format.ts'
import { packageList, pageNumber, pager } from '../part/list.ts'

const size = 20
const maxPage = 500

/** Packages that match, best first. */
export async function searchPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const query = (call.query.get('q') ?? '').slice(0, 200).trim()
  const page = pageNumber(call.query.get('page') ?? undefined, maxPage)
  const { total, hits } = await searchPackages(ports, call.actor, query, (page - 1) * size, size)
  const pathOf = (to: number) => `/search?${new URLSearchParams({ q: query, page: String(to) })}`
  const main = html`<h1>${query === '' ? 'All packages' : html`Results for <bdi>${query}</bdi>`}</h1>
<p class="small" role="status">${total === 0 ? 'No package matches.' : plural(total, 'package')}</p>
${total === 0 ? html`<p>Names match from their beginning; every word has to occur. <a href="/search">Show all packages</a>.</p>` : ''}
${packageList(hits, ports.clock(), 2)}
${ports.routes.length === 0 ? '' : html`<p class="small">Of upstream registries, packages that nobody here has used are not listed.</p>`}
${pager(Math.min(total, maxPage * size), page, size, pathOf)}`
  return sheet(c, { title: query === '' ? 'All packages' : `${query} – search`, main, query })
}
