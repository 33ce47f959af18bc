// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html, nothing } from '../markup.ts'
import { clientName } from './client.ts'
import { formatBytes, plural, relative } from './format.ts'
import { packagePath, repositoryAddress, webAddress } from './link.ts'
import { pageNumber } from './list.ts'
import { everyDay, sparkline } from './sparkline.ts'

const dayMs = 86_400_000
const now = Date.UTC(2026, 5, 15, 12)

test('templates escape what is text and keep what is markup', () => {
  assert.equal(
    html`<p title="${'"\'<>&'}">${['<b>', html`<i>${'&'}</i>`, nothing, undefined, false, 0]}</p>`.toString(),
    '<p title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;<i>&amp;</i>0</p>',
  )
})

test('times are told as people do', () => {
  assert.equal(relative(now, now), 'just now')
  assert.equal(relative(now - 90 * 60_000, now), '1 hour ago')
  assert.equal(relative(now - 400 * dayMs, now), '1 year ago')
  assert.equal(relative(now + 30 * dayMs - 1000, now), 'in 30 days')
})

test('sizes and counts have the unit that fits', () => {
  assert.deepEqual([0, 999, 1000, 12_345, 1e6, 5e9].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '12 kB',
    '1.0 MB',
    '5.0 GB',
  ])
  assert.deepEqual(
    [plural(1, 'version'), plural(1200, 'dependency', 'dependencies')],
    ['1 version', '1,200 dependencies'],
  )
})

test('only addresses of the web become links', () => {
  for (const bad of [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'https://user:secret@x.example/',
    'x',
    7,
    null,
  ]) {
    assert.equal(webAddress(bad), undefined)
  }
  assert.equal(webAddress('https://x.example/a?b')?.href, 'https://x.example/a?b')
})

test('a repository is found in every form of package.json', () => {
  const forms = [
    'acme/ui',
    'github:acme/ui',
    'git+https://github.com/acme/ui.git',
    'git@github.com:acme/ui.git',
    'ssh://git@github.com/acme/ui.git',
    'https://github.com/acme/ui/tree/main/packages/ui',
    { type: 'git', url: 'git://github.com/acme/ui.git' },
  ]
  for (const form of forms)
    assert.equal(repositoryAddress(form)?.href, 'https://github.com/acme/ui', JSON.stringify(form))
  assert.equal(repositoryAddress('gitlab:acme/ui')?.href, 'https://gitlab.com/acme/ui')
  assert.equal(
    repositoryAddress({ url: 'git+https://git.acme.example/ui.git' })?.href,
    'https://git.acme.example/ui',
  )
  for (const none of [undefined, {}, 'javascript:alert(1)', { url: 5 }])
    assert.equal(repositoryAddress(none), undefined)
})

test('the address of a package keeps its scope readable and breaks nothing else', () => {
  assert.equal(packagePath('@acme/ui', { v: '1.0.0+x' }), '/package/npm/@acme/ui?v=1.0.0%2Bx')
  assert.equal(packagePath('a?b#c'), '/package/npm/a%3Fb%23c')
})

test('page numbers stay within their bounds', () => {
  assert.deepEqual(
    ['2', '0', '-1', 'x', '1e9', '99999999', undefined].map(each => pageNumber(each, 500)),
    [2, 1, 1, 1, 1, 1, 1],
  )
  assert.equal(pageNumber('501', 500), 500)
})

test('the sparkline shows every day of the time, and its table the days that count', () => {
  const days = everyDay(
    [
      { day: Math.floor(now / dayMs) * dayMs, count: 3 },
      { day: now - 400 * dayMs, count: 9 },
    ],
    now,
    30,
  )
  assert.equal(days.length, 30)
  assert.equal(days.at(-1)?.count, 3)
  const markup = sparkline(days).toString()
  assert.match(markup, /3 downloads in 30 days/)
  assert.equal(markup.match(/<tr><td>/g)?.length, 1)
  assert.equal(/points="([^"]*)"/.exec(markup)?.[1]?.split(' ').length, 30)
  assert.doesNotMatch(sparkline(everyDay([], now, 30)).toString(), /svg/)
})

test('a browser is named in words', () => {
  assert.equal(
    clientName(
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    ),
    'Chrome on Linux',
  )
  assert.equal(clientName('curl/8.0'), 'curl/8.0')
})
