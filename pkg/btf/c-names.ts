// C has one name space for struct, union and enum tags and one for everything else; BTF may name types twice.

/** Names of one C name space: the second type of the same name becomes name___2. */
export class Names {
  readonly #counts = new Map<string, number>()
  readonly #byId = new Map<number, string>()

  of(id: number, name: string): string {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const unique = this.next(name)
    this.#byId.set(id, unique)
    return unique
  }

  next(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    return count > 1 ? `${name}___${count}` : name
  }
}
