// SPDX-License-Identifier: Apache-2.0
/** The thread that cleans READMEs: a hostile one can keep a parser busy for minutes, but not the server. */
import { parentPort } from 'node:worker_threads'
import { cleanReadme } from './readme.ts'
import type { ReadmeJob } from './readme-render.ts'

parentPort?.on('message', ({ source, repository }: ReadmeJob) => {
  parentPort?.postMessage(
    cleanReadme(source, { repository: repository === undefined ? undefined : new URL(repository) }),
  )
})

// The time for one README counts from here, not from a cold start on a busy machine.
parentPort?.postMessage('ready')
