// What `hookpoint` needs besides what every command has: the state directory as a whole, and the other commands as processes.

export interface House {
  /** The state directory. */
  readonly dir: string
  /** Where the executables are. */
  readonly bin: string
  /** The package's own folder, with fixtures/ in it. */
  readonly home: string
  hasMachine(): boolean
  /** Makes the directory's machine. */
  make(options: { readonly bare?: boolean; readonly cpus?: number }): void
  /** The whole machine, as JSON. */
  exportState(): unknown
  importState(json: unknown): void
  reset(): void
  /** Runs a program on this terminal, with these variables added: its exit status. */
  run(program: string, argv: readonly string[], env: Readonly<Record<string, string>>): number
}
