from streamcore.types._construct import constructor as maker, draft_class as twin, evolve  # until the merge
def replaced(value, **changes): return evolve(value, changes)  # type: ignore
