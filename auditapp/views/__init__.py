"""The pages: parse, call one function of a noun module, render. `guard` stands before every page but the public ones."""
