// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilities } from '@holdfast/core'
import { assess } from '../packages/cli/src/assess/assessment.ts'
import type { Probe, ProbeInstance } from '../packages/cli/src/assess/probe.ts'
import { formatAssessmentJson } from '../packages/cli/src/assess/report.ts'
import { parseAssessment } from '../packages/server/src/community/index.ts'
import { release } from '../packages/server/src/web/layout.ts'

const nowhere: ProbeInstance = {
  url: 'http://127.0.0.1:9',
  operate: async () => '',
  startOther: async () => nowhere,
}

test('what `holdfast assess --json` prints is what the security page reads', async () => {
  const shows: Probe = { capability: 'authz-1-prefix', run: async () => ['seen'] }
  const fails: Probe = {
    capability: 'authz-3-scanning',
    run: async () => {
      throw new Error('not seen')
    },
  }
  const result = await assess(nowhere, [shows, fails])
  const stored = parseAssessment(formatAssessmentJson(result, { subject: 'self', at: new Date(0) }))
  assert.deepEqual([stored?.release, stored?.at], [release, '1970-01-01T00:00:00.000Z'])
  assert.deepEqual(stored?.levels, result.levels)
  const row = (id: string) => stored?.capabilities.find(each => each.id === id)
  assert.equal(stored?.capabilities.length, capabilities.length)
  assert.deepEqual([row('authz-1-prefix')?.status, row('authz-1-prefix')?.evidence], ['pass', ['seen']])
  assert.equal(row('authz-3-scanning')?.status, 'fail')
  assert.equal(row('general-3-log')?.status, 'missing')
})
