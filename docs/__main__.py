"""python -m docs: write the generated pages anew."""

from docs.generated import write

write()
