// SPDX-License-Identifier: Apache-2.0
import { Marked, type Token, type Tokens } from 'marked'
import sanitize from 'sanitize-html'
import { webAddress } from './part/link.ts'

/** Where the relative links of a README lead: its repository, when the package names one. */
export interface ReadmeOptions {
  readonly repository?: URL | undefined
}

/**
 * Markdown of strangers → markup that runs nothing, loads nothing and imitates nothing of ours. The list of what is let
 * through is short; the page's policy would stop the rest. Pictures become links: loading one would tell its host who
 * reads about which package.
 */
export function cleanReadme(source: string, options: ReadmeOptions = {}): string {
  const parsed = markdown(options).parse(source, { async: false })
  return sanitize(parsed, rules(options))
}

function markdown(options: ReadmeOptions): Marked {
  const slugs = new Map<string, number>()
  return new Marked({
    gfm: true,
    walkTokens: markLinkedPictures,
    renderer: {
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${slug(text, slugs)}">${this.parser.parseInline(tokens)}</h${depth}>`
      },
      image({ href, text, ...token }) {
        const word = escapeText(text === '' ? 'picture' : text)
        if ('isLinked' in token) return text === '' ? '' : word
        const target = linkTarget(href, options)
        return target === undefined ? word : `<a href="${escapeText(target)}">${word}</a>`
      },
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    },
  })
}

/** A picture inside a link must not become a link in a link. */
function markLinkedPictures(token: Token): void {
  if (token.type !== 'link') return
  for (const child of (token as Tokens.Link).tokens)
    if (child.type === 'image') Object.assign(child, { isLinked: true })
}

function rules(options: ReadmeOptions): sanitize.IOptions {
  return {
    allowedTags: [
      'h2',
      'h3',
      'h4',
      'h5',
      'h6',
      'p',
      'a',
      'ul',
      'ol',
      'li',
      'dl',
      'dt',
      'dd',
      'blockquote',
      'pre',
      'code',
      'em',
      'strong',
      'b',
      'i',
      'del',
      's',
      'ins',
      'kbd',
      'samp',
      'var',
      'sub',
      'sup',
      'br',
      'hr',
      'table',
      'thead',
      'tbody',
      'tr',
      'th',
      'td',
      'details',
      'summary',
    ],
    allowedAttributes: {
      a: ['href', 'rel', 'title'],
      h2: ['id'],
      h3: ['id'],
      h4: ['id'],
      h5: ['id'],
      h6: ['id'],
      ol: ['start'],
      th: ['align'],
      td: ['align'],
      details: ['open'],
    },
    allowedSchemes: ['https', 'http', 'mailto'],
    allowProtocolRelative: false,
    nestingLimit: 50,
    transformTags: {
      h1: heading('h2'),
      h2: heading('h3'),
      h3: heading('h4'),
      h4: heading('h5'),
      h5: heading('h6'),
      h6: heading('h6'),
      a: (tagName, attribs) => ({ tagName, attribs: linkAttributes(attribs, options) }),
    },
  }
}

/** One level down, below the name of the package; ids in a space of their own, so that none takes the place of ours. */
function heading(tagName: string): sanitize.Transformer {
  return (_, { id }) => ({
    tagName,
    attribs: id === undefined ? ({} as sanitize.Attributes) : { id: `readme-${id}` },
  })
}

function linkAttributes({ href, title }: sanitize.Attributes, options: ReadmeOptions): sanitize.Attributes {
  const target = href === undefined ? undefined : linkTarget(href, options)
  if (target === undefined) return {}
  const shown: sanitize.Attributes = title === undefined ? { href: target } : { href: target, title }
  return target.startsWith('#') ? shown : { ...shown, rel: 'nofollow noopener noreferrer ugc' }
}

/** Where a link of a README leads, or undefined where it leads nowhere from here. */
function linkTarget(href: string, { repository }: ReadmeOptions): string | undefined {
  if (href.startsWith('#')) return `#readme-${href.slice(1).toLowerCase()}`
  if (/^mailto:[^?]+$/i.test(href)) return href
  const absolute = webAddress(href)
  if (absolute !== undefined) return absolute.href
  // Relative paths are files of the repository, not pages of this registry.
  if (repository === undefined || /^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith('//')) return undefined
  const base = `${repository.href.replace(/\/$/, '')}/blob/HEAD/`
  const target = webAddress(URL.canParse(href, base) ? new URL(href, base).href : undefined)
  return target?.href.startsWith(repository.href.replace(/\/$/, '')) ? target.href : undefined
}

/** As the forges make them, so that a README's own table of contents leads somewhere. */
function slug(text: string, taken: Map<string, number>): string {
  const word = text
    .toLowerCase()
    .replace(/<[^>]*>/g, '')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
  const count = taken.get(word) ?? 0
  taken.set(word, count + 1)
  return count === 0 ? word : `${word}-${count}`
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)
}
