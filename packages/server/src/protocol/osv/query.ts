// SPDX-License-Identifier: Apache-2.0
/** Questions as osv.dev takes them (https://google.github.io/osv.dev/post-v1-query/), and its answers. */
import { isPackageName, type PackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import { type AdvisoryPage, type AdvisoryQuery, queryAdvisories, readAdvisories } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

const maxQueries = 1000
const maxQueryBytes = 64 * 1024
const maxBatchBytes = 4 * 1024 * 1024
const pageWhole = 200
const pageIds = 1000
/** Of one answer of whole records; more is on the next page. */
const maxAnswerBytes = 8 * 1024 * 1024

const word = v.pipe(v.string(), v.maxLength(1000))
const query = v.object({
  version: v.optional(word, ''),
  commit: v.optional(word, ''),
  page_token: v.optional(word, ''),
  package: v.optional(
    v.object({ name: v.optional(word, ''), ecosystem: v.optional(word, ''), purl: v.optional(word, '') }),
  ),
})
const batch = v.object({ queries: v.pipe(v.array(query), v.maxLength(maxQueries)) })

type Told = v.InferOutput<typeof query>

/** `POST /osv/v1/query`: the whole records, a page at a time. */
export async function answerQuery(ports: Ports, call: Call): Promise<Answer> {
  const asked = readQuery(parse(query, await call.json(maxQueryBytes)))
  const [page] = await queryAdvisories(ports, call.actor, asked === undefined ? [] : [asked], pageWhole)
  const found = await readAdvisories(ports, call.actor, page?.found.map(each => each.id) ?? [])
  const texts: string[] = []
  let bytes = 0
  let next = page?.next
  for (const { id, text } of found) {
    texts.push(text)
    bytes += text.length
    if (bytes > maxAnswerBytes && id !== found.at(-1)?.id) next = id
    if (bytes > maxAnswerBytes) break
  }
  const more = next === undefined ? '' : `,"next_page_token":${JSON.stringify(formatToken(next))}`
  return answer(texts.length === 0 ? '{}' : `{"vulns":[${texts.join(',')}]${more}}`)
}

/** `POST /osv/v1/querybatch`: of each question only ids and times. */
export async function answerBatch(ports: Ports, call: Call): Promise<Answer> {
  const { queries } = parse(batch, await call.json(maxBatchBytes))
  const asked = queries.map(readQuery)
  const wanted = asked.filter(each => each !== undefined)
  const pages = (await queryAdvisories(ports, call.actor, wanted, pageIds)).values()
  const results = asked.map(each => (each === undefined ? {} : toResult(pages.next().value)))
  return answer(JSON.stringify({ results }))
}

function toResult(page: AdvisoryPage | undefined): unknown {
  if (page === undefined || page.found.length === 0) return {}
  return {
    vulns: page.found.map(({ id, modifiedAt }) => ({ id, modified: new Date(modifiedAt).toISOString() })),
    ...(page.next === undefined ? {} : { next_page_token: formatToken(page.next) }),
  }
}

function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw problem('invalid-body', { why: `${v.getDotPath(issue) ?? 'it'}: ${issue.message}` })
}

/** Undefined for what nothing can be known of here: commits, other ecosystems, names that no package has. */
function readQuery({ version, commit, page_token, package: about }: Told): AdvisoryQuery | undefined {
  if (commit !== '') return undefined
  if (about === undefined) throw problem('invalid-body', { why: 'it names neither a package nor a commit' })
  const named =
    about.purl === '' ? { name: about.name, ecosystem: about.ecosystem } : readPurl(about, version)
  if (named.name === '' || named.ecosystem === '')
    throw problem('invalid-body', { why: 'a package needs a name and an ecosystem, or a purl' })
  if (named.ecosystem !== 'npm' || !isPackageName(named.name)) return undefined
  const asked = 'version' in named && named.version !== '' ? named.version : version
  const after = parseToken(page_token)
  return { name: named.name as PackageName, version: asked === '' ? undefined : asked, after }
}

/** `pkg:npm/%40acme/ui@1.0.0`; qualifiers and a path behind it say nothing of the package. */
function readPurl(
  { name, ecosystem, purl }: NonNullable<Told['package']>,
  version: string,
): { readonly name: string; readonly ecosystem: string; readonly version: string } {
  if (name !== '' || ecosystem !== '')
    throw problem('invalid-body', { why: 'a purl stands alone, without name and ecosystem' })
  const [, type = '', path = '', at = ''] =
    /^pkg:\/{0,2}([A-Za-z][A-Za-z0-9.+-]*)\/(@?[^@?#]+)(?:@([^?#]*))?(?:[?#].*)?$/.exec(purl) ?? []
  if (type === '') throw problem('invalid-body', { why: 'the purl cannot be read' })
  if (at !== '' && version !== '')
    throw problem('invalid-body', { why: 'the version stands in the purl already' })
  return {
    name: decode(path),
    ecosystem: type.toLowerCase() === 'npm' ? 'npm' : type,
    version: decode(at),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw problem('invalid-body', { why: 'the purl cannot be read' })
  }
}

function formatToken(after: string): string {
  return Buffer.from(after).toString('base64url')
}

function parseToken(token: string): string {
  return Buffer.from(token, 'base64url').toString()
}

function answer(body: string): Answer {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body,
  }
}
