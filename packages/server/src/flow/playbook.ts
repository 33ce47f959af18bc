// SPDX-License-Identifier: Apache-2.0
/** The playbooks of this release: files beside the code, read when somebody first asks. */
import { readdir, readFile } from 'node:fs/promises'
import { type Playbook, parsePlaybook } from '../incident/index.ts'

const folder = new URL('../../playbook/', import.meta.url)
let kept: Promise<readonly Playbook[]> | undefined

/** All playbooks, by name. */
export function listPlaybooks(): Promise<readonly Playbook[]> {
  kept ??= readAll()
  return kept
}

async function readAll(): Promise<readonly Playbook[]> {
  const files = (await readdir(folder)).filter(each => each.endsWith('.md')).sort()
  return Promise.all(
    files.map(async file => parsePlaybook(file.slice(0, -3), await readFile(new URL(file, folder), 'utf8'))),
  )
}
