"""The words that the doll understands, as tables. docs/doll.md is generated from them."""
