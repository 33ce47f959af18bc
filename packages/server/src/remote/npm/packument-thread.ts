// SPDX-License-Identifier: Apache-2.0
/** The thread that reads packuments: the bytes of one in, what we keep of it out. */
import { answerJobs } from '../../thread.ts'
import { readPackument } from './read-packument.ts'

answerJobs(readPackument, reading => (reading.kind === 'told' ? [reading.source.buffer] : []))
