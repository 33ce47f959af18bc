// SPDX-License-Identifier: Apache-2.0
export { openLogFolder } from './file.ts'
