// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { operateOn } from './throw-away-instance.ts'

/** Hands a result to the registry of a data folder, which signs it, keeps it and tells its operators what turned red. */
export async function keepAssessment(data: string, config: string | undefined, json: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-assessment-'))
  try {
    const file = join(folder, 'assessment.json')
    await writeFile(file, json)
    const where = ['--data', data, ...(config === undefined ? [] : ['--config', config])]
    await operateOn(['assessment', 'keep', file, ...where])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
