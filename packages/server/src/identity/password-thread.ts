// SPDX-License-Identifier: Apache-2.0
/** The thread that hashes passwords. */
import { type Argon2Parameters, argon2Sync } from 'node:crypto'
import { answerJobs, standBack } from '../thread.ts'

standBack()
answerJobs((words: Argon2Parameters) => new Uint8Array(argon2Sync('argon2id', words)))
