// SPDX-License-Identifier: Apache-2.0
/** Hands a project's lock file to the registry, which then tells of what is found in it later. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { revealHidden } from '@holdfast/core'
import { readLockText } from '../locked.ts'
import type { Project } from '../project.ts'
import { askRegistry, findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

interface Wishes {
  readonly registry?: string | undefined
  readonly project?: string | undefined
  readonly branch?: string | undefined
}

interface Taken {
  readonly project: string
  readonly branch: string
  readonly entries: number
  readonly strays: number
  readonly known: number
  readonly page: string
}

/** Submits the lock file, and says on standard error what became of it; throws `UsageError` with the registry's words where it refuses. */
export async function submitProject(opened: Project, { registry, project, branch }: Wishes): Promise<void> {
  if (project === undefined)
    throw new UsageError('--project NAME is missing', 'Name the project, such as shop or @acme/shop.')
  const body = {
    branch: branch ?? (await readBranch(opened.folder)),
    lockfile: await readLockText(opened.lockFile),
    manifests: opened.manifests,
  }
  const path = `projects/${project.split('/').map(encodeURIComponent).join('/')}/lockfiles`
  const taken = (await askRegistry(await findRegistry(registry), 'POST', path, { body })) as Taken
  const strays = taken.strays === 0 ? '' : `, ${taken.strays} from elsewhere than a registry`
  process.stderr.write(
    `${revealHidden(`Submitted ${taken.project}, branch ${taken.branch}: ${taken.entries} versions${strays}; ${taken.known} flaws are known in them. What is found later is told by letter, all of it at ${taken.page}`)}\n`,
  )
}

/** The branch that git has checked out. */
async function readBranch(folder: string): Promise<string> {
  const head = await readFile(join(folder, '.git', 'HEAD'), 'utf8').catch(() => '')
  const branch = /^ref: refs\/heads\/(.{1,200})\n?$/.exec(head)?.[1]
  if (branch !== undefined) return branch
  throw new UsageError('there is no branch to submit for', 'Name it with --branch, such as --branch main.')
}
