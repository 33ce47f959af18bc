// SPDX-License-Identifier: Apache-2.0
/** The thread that compares tarballs: the bytes of two in, what differs out. */
import { diffPackages, isProblem } from '@holdfast/core'
import { answerJobs, standBack } from '../thread.ts'
import { readPackageContent } from './package-content.ts'
import type { DiffJob, DiffOutcome } from './tarball-diff.ts'

standBack()
answerJobs<DiffJob, DiffOutcome>(async ({ before, after, limits }) => {
  try {
    const old = before && (await readPackageContent(before, limits))
    return { diff: diffPackages(old, await readPackageContent(after, limits)) }
  } catch (error) {
    if (!isProblem(error)) throw error
    return { fault: String(error.data['why']) }
  }
})
