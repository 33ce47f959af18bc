// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderReadme } from './readme-render.ts'

test('a README is rendered once for a key', async () => {
  const first = await renderReadme('acme 1', '# One')
  assert.equal(first.toString(), '<h2 id="readme-one">One</h2>')
  assert.equal(await renderReadme('acme 1', '# Two'), first)
  assert.notEqual(await renderReadme('acme 2', '# Two'), first)
})

test('a README that breaks the parser is shown as plain text', async () => {
  const markup = await renderReadme('depth', '> '.repeat(30_000))
  assert.equal(markup.toString().slice(0, 22), '<pre class="text">&gt;')
})

test('a README that keeps the parser busy is stopped and shown as plain text', async () => {
  const markup = await renderReadme('table', `|a|\n|-|\n${'|<b>|\n'.repeat(10_000)}`, { maxMs: 5 })
  assert.equal(markup.toString().slice(0, 21), '<pre class="text">|a|')
})

test('after such READMEs the next one is rendered as ever', async () => {
  assert.equal((await renderReadme('acme 3', '*fine*')).toString(), '<p><em>fine</em></p>\n')
})
