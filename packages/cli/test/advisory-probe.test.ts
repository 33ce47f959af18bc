// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { warnings } from '../src/assess/probe/cli-2-warn.ts'
import { pageWarnings } from '../src/assess/probe/general-2-warn.ts'
import { osvAdvisories } from '../src/assess/probe/general-3-osv.ts'
import type { Probe } from '../src/assess/probe.ts'
import { type Asked, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

async function runWith(probe: Probe, tamper: Tamper): Promise<unknown> {
  const twin = await startTwin(real.url, tamper)
  try {
    return await probe.run({ ...real, url: twin.url })
  } finally {
    twin.close()
  }
}

/** An instance whose answers on a path have other words in them. */
const worded =
  (isOn: RegExp, words: RegExp, by: string): Tamper =>
  ({ path }: Asked, answer) =>
    isOn.test(path) ? { ...answer, body: Buffer.from(answer.body.toString().replace(words, by)) } : answer

describe('the probe of OSV notices an instance', () => {
  const caught = (why: RegExp, tamper: Tamper) => assert.rejects(runWith(osvAdvisories, tamper), why)

  test('whose records are none of the schema', () =>
    caught(/must say what the OSV schema wants/, worded(/vulns/, /"modified":"[^"]*",?/, '')))
  test('that matches what is mended', () =>
    caught(/query must answer nothing/, ({ path }, answer) =>
      path === '/osv/v1/query' && answer.body.toString() === '{}'
        ? { ...answer, body: Buffer.from('{"vulns":[{"id":"MAL-x"}]}') }
        : answer,
    ))
  test('that does not know purls', () =>
    caught(/by name and by purl/, worded(/querybatch/, /,\{"vulns":\[[^\]]*\]\}\]\}$/, ',{}]}')))
  test('whose zip has no records', () =>
    caught(/the zip of all records/, ({ path }, answer) =>
      path.endsWith('all.zip') ? { ...answer, body: Buffer.from('PK') } : answer,
    ))
  test('whose feed is silent', () => caught(/the feed must have it/, worded(/atom$/, /MAL-/g, '')))
})

describe('the probe of warnings notices an instance', () => {
  const caught = (why: RegExp, tamper: Tamper) => assert.rejects(runWith(warnings, tamper), why)
  const emptied =
    (isOn: RegExp): Tamper =>
    ({ path }, answer) =>
      isOn.test(path) ? { ...answer, body: Buffer.from('{}') } : answer

  test('that says nothing', () => caught(/npm audit must be told/, emptied(/bulk$/)))
  test('that says nothing to older clients', () => caught(/older clients must be told/, emptied(/quick$/)))
  test('that names no versions', () =>
    caught(
      /must name its versions/,
      worded(/bulk$/, /"vulnerable_versions":"[^"]*"/, '"vulnerable_versions":"*"'),
    ))
  test('whose ids pnpm does not take', () =>
    caught(/id is no number/, worded(/bulk$/, /"id":(\d+)/, '"id":"$1"')))
  test('that names what is mended', () => {
    let first: Buffer | undefined
    return caught(/mended must not be named/, ({ path }, answer) => {
      if (!path.endsWith('bulk')) return answer
      first ??= Buffer.from(answer.body)
      return { ...answer, body: first }
    })
  })
})

describe('the probe of package pages notices an instance', () => {
  const caught = (why: RegExp, tamper: Tamper) => assert.rejects(runWith(pageWarnings, tamper), why)

  test('whose page says nothing of its own flaws', () =>
    caught(/show what is known against it/, worded(/deep\?v=1\.0\.0/, /PROBE-/g, '')))
  test('that shows a flaw by colour alone', () =>
    caught(/in a word, not in a colour/, worded(/deep\?v=1\.0\.0/, /low|moderate|high|critical/g, '')))
  test('that shows a flaw where it is mended', () =>
    caught(/mended version must not show it/, ({ path }, answer) =>
      path.includes('deep?v=1.0.1')
        ? { ...answer, body: Buffer.from(`PROBE-${path.split('/')[3]?.slice(1)}-deep`) }
        : answer,
    ))
  test('that looks at no dependencies', () =>
    caught(/against its dependencies/, worded(/top\?v=/, /PROBE-/g, '')))
  test('that does not say by way of what', () =>
    caught(/by way of what/, worded(/top\?v=/, /<td>[^<]*middle@1\.0\.0<\/td>/g, '<td></td>')))
  test('whose picture marks by colour alone', () =>
    caught(/mark what is vulnerable in words/, worded(/top\?v=/, /, vulnerable/g, '')))
})
