// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const folder = new URL('./', import.meta.url)
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map(file => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }))

test('core imports nothing but its own files, so that it runs in a browser', () => {
  for (const { file, text } of sources) {
    for (const [, target] of text.matchAll(/^[^'\n]*\bfrom '([^']+)'$/gm)) {
      assert.match(target ?? '', /^\.\.?\/(?:[a-z]+\/)?[a-z0-9-]+\.ts$/, file)
    }
    assert.doesNotMatch(text, /^import '|\bimport\(/m, file)
    assert.doesNotMatch(text, /\b(?:process\.|Buffer\b|require\(|__dirname)/, file)
  }
})
