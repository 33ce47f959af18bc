// SPDX-License-Identifier: Apache-2.0
/** The thread that hashes passwords: a storm of guesses must not hold up those who read. */
import { type Argon2Parameters, argon2Sync } from 'node:crypto'
import { getPriority, setPriority } from 'node:os'
import { answerJobs } from '../thread.ts'

const behindReaders = 10

// Linux gives each thread a priority of its own; elsewhere this would be the whole process's.
if (process.platform === 'linux') setPriority(Math.max(getPriority(), behindReaders))

answerJobs((words: Argon2Parameters) => new Uint8Array(argon2Sync('argon2id', words)))
