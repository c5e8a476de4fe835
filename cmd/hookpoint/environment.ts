// `hookpoint env` and `hookpoint shell`: the commands on PATH, the machine in HOOKPOINT_STATE. The only way they get there.
import { delimiter } from 'node:path'
import type { Io } from '../../pkg/cli/index.js'
import type { House } from './house.js'

/** A word as sh reads it back, whatever is in it. */
export const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`)

/** Lines for `eval "$(hookpoint env)"`. */
export const environmentText = ({ bin, dir }: House): string =>
  `export PATH=${quote(bin)}:"$PATH"\nexport HOOKPOINT_STATE=${quote(dir)}\n`

/** The same for a process that is started here. */
export const environment = ({ bin, dir }: House, path: string | undefined): { PATH: string; HOOKPOINT_STATE: string } =>
  ({ PATH: path ? `${bin}${delimiter}${path}` : bin, HOOKPOINT_STATE: dir })

/** The machine exists afterwards. */
export function ensureMachine(io: Io): void {
  io.openKernel('read').close()
}

/** The user's shell, in which the commands reach the emulated machine; `-c` and the like go to it. */
export function runShell(house: House, io: Io, argv: readonly string[]): number {
  ensureMachine(io)
  return house.run(io.env['SHELL'] || '/bin/sh', argv, environment(house, io.env['PATH']))
}
