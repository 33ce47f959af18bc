// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanReadme } from './readme.ts'

const repository = new URL('https://github.com/acme/ui')

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

/** The elements of clean markup, which has one plain form; anything that opens otherwise is a finding. */
function elementsOf(markup: string): Element[] {
  const tag = /<([a-z0-9]+)((?: [a-z]+="[^"<>]*")*) ?\/?>|<\/[a-z0-9]+>/g
  assert.doesNotMatch(markup.replace(tag, ''), /</, markup)
  return [...markup.matchAll(tag)].flatMap(([, name, list = '']) =>
    name === undefined ? [] : [{ name, attributes: Object.fromEntries(attributesOf(list)) }],
  )
}

function attributesOf(list: string): [string, string][] {
  return [...list.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
}

/** Asserts that nothing in it runs, loads, or leads anywhere but to the web, a mailbox or a heading of the README. */
function assertHarmless(markup: string): void {
  for (const { name, attributes } of elementsOf(markup)) {
    assert.doesNotMatch(
      name,
      /^(script|style|iframe|object|embed|svg|math|img|form|input|link|meta|base|video|audio)$/,
    )
    for (const [attribute, value] of Object.entries(attributes)) {
      assert.match(attribute, /^(href|rel|title|id|start|align|open)$/, `${name} ${attribute}`)
      if (attribute === 'href') assert.match(value, /^(https?:\/\/|mailto:|#readme-)/, value)
      if (attribute === 'id') assert.match(value, /^readme-/)
    }
  }
}

const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '[click](javascript:alert(1))',
  '[click](JaVaScRiPt:alert(1))',
  '[click](java\tscript:alert(1))',
  '[click](data:text/html,<script>alert(1)</script>)',
  '[click](vbscript:x)',
  '[click](//evil.example/x)',
  '![x](javascript:alert(1))',
  '<a href="javascript&colon;alert(1)">x</a>',
  '<a href=" javascript:alert(1)">x</a>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<form action="/account/password"><input name=old></form>',
  '<style>body{display:none}</style>',
  '<p style="position:fixed;inset:0">over everything</p>',
  '<h2 id="main">takes the place of ours</h2>',
  '<a name="main" id="main">x</a>',
  '<base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '`<script>alert(1)</script>`',
  '```html\n<script>alert(1)</script>\n```',
  '[x]: javascript:alert(1)\n[click][x]',
  '<javascript:alert(1)>',
  '# <img src=x onerror=alert(1)>',
  '[a](https://user:password@evil.example/)',
]

for (const attack of attacks) {
  test(`a README cannot attack: ${attack.replace(/\s+/g, ' ').slice(0, 60)}`, () => {
    assertHarmless(cleanReadme(attack, { repository }))
  })
}

test('no README of pieces put together at random attacks either', () => {
  const piece = fc.oneof(
    fc.constantFrom(...attacks, '<', '>', '"', '`', '](', '![', '<!--', '-->', '<a href="', "'"),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => assertHarmless(cleanReadme(pieces.join('')))),
  )
})

test('pictures become links, and nothing is loaded from anywhere', () => {
  const markup = cleanReadme(
    '![logo](https://img.example/logo.png) [![build](https://img.example/b.svg)](https://ci.example/)',
  )
  assert.deepEqual(
    elementsOf(markup).map(({ name, attributes }) => [name, attributes['href']]),
    [
      ['p', undefined],
      ['a', 'https://img.example/logo.png'],
      ['a', 'https://ci.example/'],
    ],
  )
})

test('links away pass on no reputation and no address', () => {
  const [, link] = elementsOf(cleanReadme('[there](https://elsewhere.example/)'))
  assert.equal(link?.attributes['rel'], 'nofollow noopener noreferrer ugc')
})

test('relative links lead to files of the repository, and cannot climb out of it', () => {
  const hrefOf = (source: string) => elementsOf(cleanReadme(source, { repository }))[1]?.attributes['href']
  assert.equal(hrefOf('[guide](docs/guide.md)'), 'https://github.com/acme/ui/blob/HEAD/docs/guide.md')
  assert.equal(hrefOf('[out](../../../../evil/x)'), undefined)
  assert.equal(elementsOf(cleanReadme('[guide](docs/guide.md)'))[1]?.attributes['href'], undefined)
})

test('headings stand one level below the page, and a table of contents finds them', () => {
  const markup = cleanReadme('# Title\n\n[to it](#how-to-use)\n\n## How to use\n\n## How to use')
  assert.deepEqual(
    elementsOf(markup).map(({ name, attributes }) => attributes['id'] ?? attributes['href'] ?? name),
    ['readme-title', 'p', '#readme-how-to-use', 'readme-how-to-use', 'readme-how-to-use-1'],
  )
  assert.match(markup, /<h2 id="readme-title">Title<\/h2>/)
})
