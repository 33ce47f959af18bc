// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLetterHtml } from './letter-html.ts'

test('what somebody named a token is text in a letter, never markup', () => {
  const html = formatLetterHtml(`A token named '<img src=x onerror="a">&' was made`)
  assert.doesNotMatch(html, /<img/)
  assert.match(html, /&#39;&lt;img src=x onerror=&quot;a&quot;&gt;&amp;&#39; was made/)
})

test('an address becomes a link to exactly what is shown, without the full stop behind it', () => {
  const html = formatLetterHtml(
    'Open this:\nhttps://a.example/verify/x.Y?a=1&b=2\n\nOr (https://a.example/account).',
  )
  const links = [...html.matchAll(/<a href="([^"]+)"[^>]*>([^<]+)<\/a>/g)].map(([, href, text]) => [
    href,
    text,
  ])
  assert.deepEqual(links, [
    ['https://a.example/verify/x.Y?a=1&amp;b=2', 'https://a.example/verify/x.Y?a=1&amp;b=2'],
    ['https://a.example/account', 'https://a.example/account'],
  ])
})

test('nothing in a letter is loaded from anywhere', () => {
  assert.doesNotMatch(formatLetterHtml('Hello'), /src=|url\(|<link|<script/)
})
