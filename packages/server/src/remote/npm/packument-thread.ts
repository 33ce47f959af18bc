// SPDX-License-Identifier: Apache-2.0
/** The thread that reads packuments: the bytes of one in, what we keep of it out. */
import { Litter, mostInThread } from '../../litter.ts'
import { answerJobs } from '../../thread.ts'
import { type Reading, type ReadingWords, readPackument } from './read-packument.ts'

const litter = new Litter(mostInThread)
/** Of the reading before, which is litter once it went out. */
let versions = 0

answerJobs<ReadingWords, Reading>(
  words => {
    litter.add(versions)
    const reading = readPackument(words)
    versions = reading.kind === 'told' ? reading.content.versions.length : 0
    return reading
  },
  reading => (reading.kind === 'told' ? [reading.source.buffer] : []),
)
