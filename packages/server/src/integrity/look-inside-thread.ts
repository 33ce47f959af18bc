// SPDX-License-Identifier: Apache-2.0
/** The thread that looks into tarballs: the bytes of one in, what was found out. */
import { isProblem } from '@holdfast/core'
import { answerJobs } from '../thread.ts'
import { inspectTarball } from './inspect.ts'
import type { InsideJob, InsideWords } from './look-inside.ts'

answerJobs<InsideJob, InsideWords>(async ({ bytes, limits }) => {
  try {
    const { hasInstallScript } = await inspectTarball(onePiece(bytes), limits)
    return { hasInstallScript, fault: '' }
  } catch (error) {
    if (!isProblem(error)) throw error
    return { hasInstallScript: true, fault: String(error.data['why']) }
  }
})

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
